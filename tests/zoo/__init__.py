"""The zoo: broken adapters, each with one wrong thing, and correct ones written differently.

``machinery`` runs it; ``users``, ``cache`` and ``clock_and_hasher`` are broken in memory, ``servers`` on real engines;
``correct`` may not be accused. Each mutant names beforehand the clause that must kill it: ``python -m zoo`` shows it.

Which mutants in memory stay: of those that name one clause, stand in one file, which is one kind of fault, and race in
one way, as tasks or on threads, all that no other clause kills; if there are none, the one that the fewest clauses
kill. ``python -m zoo`` names those beyond that. On engines all stay: what is wrong there is the engine's own.
"""
