"""The pure core: no I/O, no wall clock, no randomness; every engine runs these functions."""
