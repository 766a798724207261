"""The zoo: broken adapters, each with one wrong thing, and correct ones written differently."""
