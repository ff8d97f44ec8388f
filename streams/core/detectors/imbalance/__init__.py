"""Long/short imbalance, definition 1.3. `detector` runs it."""
