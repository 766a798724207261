"""Internals that the adapters share."""
