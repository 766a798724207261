"""Models of the ports for one caller, and callers that make random calls."""
