"""Detection rates of the contract; see `detection.__main__`."""
