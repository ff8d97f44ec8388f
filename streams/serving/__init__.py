"""The embedded warehouse as a ClickHouse server: its HTTP interface over one chDB store.

Stands above the edges, beside the collectors: `marginquake warehouse serve` runs it, pipelines and
people's tools are its clients. Promises ClickHouse's own answers, formats and error codes, since
the engine gives them, and that a reader can neither write nor reach a file or the network. Does
not hold sessions, temporary tables or ClickHouse's own users and quotas.
"""
