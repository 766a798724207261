"""The clauses of a cache."""
