"""The clauses of a user store."""
