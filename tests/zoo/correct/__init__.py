"""Correct adapters, written in other ways than ours: no clause may accuse one."""
