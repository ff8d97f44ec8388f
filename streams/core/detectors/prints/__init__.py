"""The 24 h print and its milestones, definition 1.10. `detector` runs it."""
