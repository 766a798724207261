"""The steps of the day; each shows what it proves."""
