"""A market whose truth is known: margin engine, feed layer, labels and scenarios.

Beside the data path: it makes raw logs that `replay` and `import` read, and the truth behind
them. It imports no detector (import-linter), so that no detector can be built into its own
examination. SIMULATED data: evidence about detectors, never about markets.
"""
