"""The values that clauses store. Tests of an adapter may use them too."""
