"""What is run over an adapter, and what is said of it."""
