"""Liquidity regime and conditions, definition 1.4. `detector` runs it."""
