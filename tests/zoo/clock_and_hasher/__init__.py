"""Broken clocks and password hashers."""
