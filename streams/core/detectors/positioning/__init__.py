"""Positioning and funding. `detector` runs it."""
