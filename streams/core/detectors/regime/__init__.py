"""Leverage regime, definition 1.2. `detector` runs it."""
