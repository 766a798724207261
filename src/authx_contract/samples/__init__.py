"""Sample users and entries of the clauses. Tests of an adapter may use them too."""
