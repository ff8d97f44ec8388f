"""Volatility and its attribution, definition 1.7. `detector` runs it."""
