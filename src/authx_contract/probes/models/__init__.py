"""The ports as one caller would see them, and callers who use them at random."""
