"""Collectors: the venues' live feeds as raw records, with the status records that move time.

Above the edges, below the commands. Promises what design sections 1 and 2 ask of a collector;
engines and the core do not know it.
"""
