"""The clauses: a package for each port that has many, each module one idea, ids in order."""
