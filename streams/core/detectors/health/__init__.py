"""Market health, definition 1.9. `detector` runs it."""
