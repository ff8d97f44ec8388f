"""Collectors at full speed, for as long as one likes: `make soak`. Not collected by pytest."""
