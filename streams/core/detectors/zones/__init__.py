"""Liquidation map, definition 1.5. `detector` runs it."""
