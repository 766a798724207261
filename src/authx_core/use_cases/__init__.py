"""Use cases: one function for each operation, with its ports in its signature."""
