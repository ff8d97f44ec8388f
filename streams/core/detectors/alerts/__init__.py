"""Alerts, definition 1.8: one rule a module. `detector` runs it."""
