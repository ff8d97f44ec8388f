"""Every metric of the program as a typed constant, and the page that documents them.

Stages count through these constants in batches, never per event. Promises: labels come from
closed, small sets (an asset is never one), and `docs/operations/metrics.md` is generated from
this file. Does not promise delivery: a number is lost with its process, results are not.
"""

from dataclasses import dataclass
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

REGISTRY: Final = CollectorRegistry()
"""The registry of this program; kept apart from the default one, which libraries also fill."""

ProcessCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)


@dataclass(frozen=True, slots=True)
class MetricDoc:
    """One row of the generated page: what a metric counts and when an operator should act."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    meaning: str
    act: str


METRICS: Final[list[MetricDoc]] = []
"""Every metric of this module in order of definition; the documentation page is made of it."""


def _counter(name: str, labels: tuple[str, ...], meaning: str, act: str) -> Counter:
    METRICS.append(MetricDoc(name, "counter", labels, meaning, act))
    return Counter(name, meaning, labels, registry=REGISTRY)


def _gauge(name: str, labels: tuple[str, ...], meaning: str, act: str) -> Gauge:
    METRICS.append(MetricDoc(name, "gauge", labels, meaning, act))
    return Gauge(name, meaning, labels, registry=REGISTRY)


def _histogram(
    name: str, labels: tuple[str, ...], meaning: str, act: str, buckets: tuple[float, ...]
) -> Histogram:
    METRICS.append(MetricDoc(name, "histogram", labels, meaning, act))
    return Histogram(name, meaning, labels, registry=REGISTRY, buckets=buckets)


SHORT_SECONDS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Buckets for work inside one process: an insert, a checkpoint."""
PATH_SECONDS: Final = (0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 21.0, 60.0, 300.0, 3600.0)
"""Buckets for the path venue to result, which begins with 2 to 3 s of lateness."""

# Collector: what comes from the venues.
CONNECTIONS_UP: Final = _gauge(
    "marginquake_connections_up",
    ("venue",),
    "Websocket connections that are subscribed now.",
    "0 for a minute: look at the collector's log and the venue's status page.",
)
MESSAGES_RECEIVED: Final = _counter(
    "marginquake_messages_received_total",
    ("venue",),
    "Websocket messages of venues, before they are cut, thinned or filtered.",
    "No growth while a connection is up: the venue is silent, or the sink holds everything up.",
)
RECONNECTS: Final = _counter(
    "marginquake_reconnects_total",
    ("venue", "reason"),
    "Connections renewed before their age limit or for a book, lost, and failed attempts.",
    "More than 5 in 10 minutes: the venue throttles, or the network drops.",
)
RECORDS_COLLECTED: Final = _counter(
    "marginquake_records_collected_total",
    ("venue", "channel"),
    "Records handed to the sink: raw.v1, a raw log or the engine; status records are left out.",
    "No growth while a connection is up: the subscription is silent.",
)
RECORDS_UNACKNOWLEDGED: Final = _gauge(
    "marginquake_records_unacknowledged",
    ("venue",),
    "Records of open connections that the sink has taken and not yet made safe.",
    "Near 2,000 a connection: the broker is too slow, and sockets are not being read.",
)
HEARTBEAT_LAG: Final = _gauge(
    "marginquake_heartbeat_lag_seconds",
    ("venue",),
    "Now minus what the slowest open connection has vouched for; about 3 s when all is well.",
    "Above 15 s: a connection is refused, silent or behind; see gaps, then unacknowledged records.",
)
FEED_GAPS: Final = _counter(
    "marginquake_feed_gaps_total",
    ("venue", "reason"),
    "Gaps that collectors told: silent, refused, book (out of order) or missing (numbers skipped).",
    "refused: name other assets. missing, growing: the venue drops us; use more connections.",
)

# Framer: raw.v1 to frames.v1.
RECORDS_RECEIVED: Final = _counter(
    "marginquake_records_received_total",
    ("venue", "channel"),
    "Raw records read from raw.v1 (or from files in the in-process engine).",
    "No growth for a minute while collectors run: the framer is stuck or unassigned.",
)
RECORDS_FILTERED: Final = _counter(
    "marginquake_records_filtered_total",
    ("reason",),
    "Well-formed messages that carry no event for us, by IgnoreReason.",
    "None: for the balance received = events + filtered + duplicates + dead-lettered.",
)
RECORDS_DUPLICATE: Final = _counter(
    "marginquake_records_duplicate_total",
    ("channel",),
    "Events dropped because their id was seen within the last 60 s.",
    "A jump without a second connection: a collector writes twice.",
)
RECORDS_LATE: Final = _counter(
    "marginquake_records_late_total",
    ("venue", "channel"),
    "Events whose second was sealed before they came; late liquidations go to late.v1.",
    "Above one for 1,000 records received: look for a slow collector, then at the lateness.",
)
RECORDS_DEAD_LETTERED: Final = _counter(
    "marginquake_records_dead_lettered_total",
    ("stage", "reason"),
    "Records written to deadletters.v1, by the closed lists of reasons in core/events.py.",
    "A jump of one reason at one venue: its format changed; replay after the parser is mended.",
)
TRADES_UNSIDED: Final = _counter(
    "marginquake_trades_unsided_total",
    ("venue",),
    "Trades in frames whose side is unknown: in volume and price, in neither bought nor sold.",
    "A jump at one venue: it has a new word for a side; replay after the parser is mended.",
)
SIDES_CHECKED: Final = _counter(
    "marginquake_sides_checked_total",
    ("venue", "verdict"),
    "Assumed sides held against a witness: minutes of Gate's forced orders, Coinbase's trades, "
    "Bybit's tickers with both figures of open interest.",
    "More contradictions than agreements: gate.negative, coinbase.advanced_side or "
    "bybit.interest_sides is wrong: set it in MARGINQUAKE_ASSUMPTIONS.",
)
FRAMES_SEALED: Final = _counter(
    "marginquake_frames_sealed_total",
    ("partition",),
    "Frames produced and acknowledged, repeats after a restart included.",
    "No growth while records arrive: the joint watermark stands still, see the next gauge.",
)
WATERMARK_LAG: Final = _gauge(
    "marginquake_watermark_lag_seconds",
    ("partition",),
    "Newest receipt time minus the joint watermark of the slowest asset, in event-time seconds.",
    "Above 15 s: a healthy-looking channel holds the clock back; see feeds.v1.",
)
FEEDS_UP: Final = _gauge(
    "marginquake_feeds_up",
    ("venue", "channel"),
    "Channels of connections that take part in the joint watermark.",
    "0: coverage is down; results say so, and depend on the venues that are left.",
)

# Every consumer of a topic.
CONSUMER_LAG: Final = _gauge(
    "marginquake_consumer_lag_records",
    ("topic", "partition"),
    "Records between this process's position and the end of the partition. Of a Flink job the "
    "position of its last checkpoint, so an interval's records stand there while all is well.",
    "Growing for 5 minutes: the process is too slow; add a worker up to the partition count.",
)
CHECKPOINT_SECONDS: Final = _histogram(
    "marginquake_checkpoint_seconds",
    ("stage",),
    "Time to write state (framer checkpoint, detector pages and hot records) and have it acked.",
    "Above 1 s at the 99th percentile: the broker's disk is slow or the state has grown.",
    SHORT_SECONDS,
)
CHECKPOINT_BYTES: Final = _gauge(
    "marginquake_checkpoint_bytes",
    ("stage", "partition"),
    "Size of the last written state record.",
    "Near 16 MiB: the topic's limit; look for an asset whose state does not shrink.",
)

# Detectors and the market stage.
RESULTS: Final = _counter(
    "marginquake_results_total",
    ("topic",),
    "Results handed to the producer, each revision counted; Flink's own metrics tell its job's.",
    "None by itself: quiet markets give none.",
)
FRAME_GAPS: Final = _counter(
    "marginquake_frame_gaps_total",
    ("partition",),
    "Frames whose prev did not match the last applied second; the process stops at the first.",
    "Any: a topic lost records, or two framers write; read the recovery page.",
)
MARKET_WAIT: Final = _gauge(
    "marginquake_market_wait_seconds",
    (),
    "Newest tick minus the last sealed market second: how long the market stage waits.",
    "Above 30 s: one partition is slow or down; see the lag gauges by partition.",
)
FLINK_RUNNING: Final = _gauge(
    "marginquake_flink_job_running",
    # Without a label every process would tell 0 of a job that it does not have.
    ("stage",),
    "1 while the mini-cluster's job is RUNNING, 0 while it restarts or does not answer.",
    "0 for a minute: /healthz and `marginquake flink status` say what it does; see its log.",
)
FLINK_FAILURES: Final = _gauge(
    "marginquake_flink_failures",
    ("stage",),
    "Failures that Flink restarted the job after; it remembers 16.",
    "Growing: after the fifth in a row the process ends with the cause.",
)
END_TO_END_LATENCY: Final = _histogram(
    "marginquake_end_to_end_latency_seconds",
    ("topic",),
    "Wall clock at the sending of a result minus the event time of its frame.",
    "Above 8 s at the 99th percentile while live: see watermark lag, then consumer lag.",
    PATH_SECONDS,
)

# Sink: topics to ClickHouse.
ROWS_WRITTEN: Final = _counter(
    "marginquake_rows_written_total",
    ("table",),
    "Rows that ClickHouse acknowledged; a repeated batch counts again.",
    "No growth while results grow: see sink retries.",
)
INSERT_SECONDS: Final = _histogram(
    "marginquake_insert_seconds",
    ("table",),
    "Time of one acknowledged insert.",
    "Above 1 s at the 99th percentile: the warehouse is overloaded or merging.",
    SHORT_SECONDS,
)
INSERT_RETRIES: Final = _counter(
    "marginquake_insert_retries_total",
    ("table",),
    "Inserts tried again after a passing failure.",
    "Growing: the warehouse is unreachable or refuses; offsets wait, nothing is lost.",
)
LAST_INSERT: Final = _gauge(
    "marginquake_last_insert_timestamp_seconds",
    ("table",),
    "Unix time of the last acknowledged insert.",
    "Old while the sink lags: see the wait.",
)
SINK_WAIT: Final = _gauge(
    "marginquake_sink_wait_seconds",
    (),
    "How long the batch that is being written has waited for the warehouse.",
    "Above 120 s: nothing is written; see the sink's log for what the warehouse answers.",
)

# Webhook: rows of result topics to a receiver.
WEBHOOK_DELIVERED: Final = _counter(
    "marginquake_webhook_delivered_total",
    ("topic",),
    "Rows that the receiver answered with 2xx.",
    "No growth while alerts are published: see the wait, then the receiver's log.",
)
WEBHOOK_RETRIES: Final = _counter(
    "marginquake_webhook_retries_total",
    ("topic", "reason"),
    "Tries of a row that failed in passing: timeout, connection, throttled or server_error.",
    "Growing for 5 minutes: the receiver is away or too slow; nothing is lost, rows wait.",
)
WEBHOOK_SECONDS: Final = _histogram(
    "marginquake_webhook_seconds",
    ("topic",),
    "Time from a POST to the receiver's answer, whatever it is.",
    "Above 2 s at the 99th percentile: the receiver works before it answers; it should queue.",
    SHORT_SECONDS,
)
WEBHOOK_WAIT: Final = _gauge(
    "marginquake_webhook_wait_seconds",
    (),
    "How long the row that waits longest for the receiver has been tried.",
    "Above 120 s: alerts do not arrive; see the log for what the receiver answers.",
)

# Served warehouse: queries over HTTP.
WAREHOUSE_QUERIES: Final = _counter(
    "marginquake_warehouse_queries_total",
    ("role", "outcome"),
    "Queries over HTTP by reader or writer: answered, refused (by a limit or the gate), failed.",
    "Refused growing: a client asks what readers may not; see the log. Failed: see its codes.",
)
WAREHOUSE_SECONDS: Final = _histogram(
    "marginquake_warehouse_query_seconds",
    ("role",),
    "Time from a request to the end of its answer, the client's own slowness included.",
    "Writer above 1 s at the 99th percentile: readers or merges take the machine; lower limits.",
    SHORT_SECONDS,
)
WAREHOUSE_RUNNING: Final = _gauge(
    "marginquake_warehouse_queries_running",
    ("role",),
    "Queries over HTTP that run or wait for a thread.",
    "At the limit for a minute: readers wait; raise --readers or look for heavy queries.",
)

BUILD: Final = _gauge(
    "marginquake_build",
    ("version", "process"),
    "Always 1; says which version of which process answers.",
    "Two versions for longer than a rollout: a process was not restarted.",
)


def metrics_page() -> str:
    """Markdown text of `docs/operations/metrics.md`, a pure function of `METRICS`."""
    lines = [
        "# Metrics",
        "",
        "Generated from `streams/telemetry/metrics.py` by `make docs`; a test fails on drift.",
        "Every long-running process serves them on `127.0.0.1:<--metrics-port>/metrics`, and",
        "`/healthz` answers 200 or 503 with `{status, detail}`. Label values come from closed",
        "lists (venues, channels, reasons, topics, partitions): an asset is never a label.",
        "",
        "| metric | type | labels | meaning | act when |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| `{doc.name}` | {doc.kind} | {', '.join(doc.labels) or '-'} "
        f"| {doc.meaning} | {doc.act} |"
        for doc in METRICS
    ]
    return "\n".join([*lines, ""])
