"""Detectors: one file each, each a pure `step(state, seconds) -> outputs` over sealed seconds."""
