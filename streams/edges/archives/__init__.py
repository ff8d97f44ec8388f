"""Archives as one live log: a file for each format, and what merges them.

`reading` tells a file's format and gives its records, `merged` puts files into receipt order with
the status records that they never had. Formats that keep rows of their own give canonical events.
"""

from streams.edges.archives.merged import END_ADVANCE_US, QUIET_S, Line, lines

__all__ = ["END_ADVANCE_US", "QUIET_S", "Line", "lines"]
