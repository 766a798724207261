"""The zoo: mutants, which are adapters with one fault each, and correct adapters written differently from ours.

``machinery`` runs it. ``users``, ``cache`` and ``clock_and_hasher`` hold mutants in memory, ``servers`` mutants on real
engines, ``correct`` the adapters that no clause may accuse. Each mutant names beforehand the clause that must kill it;
``python -m zoo`` checks that it does.

Mutants in memory are alike if they name the same clause, stand in the same file (one kind of fault), and race in the
same way, as tasks or on threads. Of those, every mutant that only one clause kills stays; if there is none, the one
that the fewest clauses kill. ``python -m zoo`` lists the others. Mutants on engines all stay: their faults are the
engine's own.
"""
