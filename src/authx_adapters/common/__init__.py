"""What the adapters share, and nobody else needs."""
