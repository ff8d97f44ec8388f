"""Mutation fuzzing of the venue parsers: `make fuzz`. Not collected by pytest."""
