"""The Flink engine: the same two stages as a job of a cluster.

`stage_state` keeps a stage in Flink's keyed state and knows nothing of Flink; `functions` are the
process functions around it, `job` the graph from topic to topic, `session` where it runs, `sql`
the statements of `infra/flink/sql`. No business rule: what is detected stands in `streams.core`.
"""
