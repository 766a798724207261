"""Broken caches in memory."""
