"""What runs the zoo, and what its adapters are made of."""
