"""The post-mortem of a day or an event: one self-contained page from the warehouse's views.

After the warehouse, beside the data path. `gather` asks, `plots` draws, `page` writes, `pdf`
prints. Its figures are those of the dashboard and of SQL, since all three share `streams.facts`.
"""
