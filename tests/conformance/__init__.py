"""Conformance suites: every collector and every detector is held to the same laws."""
