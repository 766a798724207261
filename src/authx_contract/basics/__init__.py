"""The ground: how clauses say what they saw, threads that nobody waits for, and what is left behind."""
