"""Correct adapters, written differently from ours: no clause may accuse them."""
