"""How faults are provoked, and how histories are judged."""
