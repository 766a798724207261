"""Foundations: assertions, threads that may be abandoned, and the detection of leaks."""
