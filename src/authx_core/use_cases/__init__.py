"""What the core does: one function an operation, its ports in its signature."""
