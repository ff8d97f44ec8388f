"""Cascade windows, definition 1.1. `detector` runs it."""
