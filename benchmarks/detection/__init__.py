"""How surely the contract finds what is wrong; see `detection.__main__`."""
