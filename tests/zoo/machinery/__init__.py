"""The runner of the zoo, and the parts of its adapters."""
