"""How the data flows: raw records in, canonical events, frames, detectors, results, sink."""
