"""The views of the registry: pytest, the command line, files, and the template of an adapter."""
