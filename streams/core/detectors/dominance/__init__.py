"""Derivatives against spot, definition 1.6. `detector` runs it."""
