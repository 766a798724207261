"""The clauses: one idea in each module, ids in order; ports with many clauses have a package."""
