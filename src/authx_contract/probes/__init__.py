"""Probes: provoking faults, and judging histories."""
