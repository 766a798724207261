"""Broken adapters on real engines."""
