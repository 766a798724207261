"""The steps of the day; each checks some promises."""
