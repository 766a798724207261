"""Broken user stores in memory."""
