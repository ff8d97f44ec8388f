"""Panels of pipeline health, in the order of the data path; every metric is one of telemetry."""

from typing import Final

from streams.edges.grafana_panels import Panel, PromQuery

_LATE: Final = ((5.0, "yellow"), (15.0, "red"))

PIPELINE_PANELS: Final = (
    Panel(
        "Alerts that fire",
        "table",
        (PromQuery('ALERTS{alertstate="firing"}'),),
        "What to do stands in docs/operations/runbook.md under the alert's name.",
        empty="none fires",
        width=16,
        height=6,
    ),
    Panel(
        "Processes that answer",
        "stat",
        (PromQuery('sum(up{job="marginquake"})', "up"), PromQuery('count(up{job="marginquake"})')),
        "Metrics ports that answer, of those that Prometheus knows.",
        width=8,
        height=6,
    ),
    Panel(
        "Connections by venue",
        "timeseries",
        (PromQuery("sum by (venue) (marginquake_connections_up)", "{{venue}}"),),
        "Websocket connections that are subscribed.",
        empty="no collector is scraped",
    ),
    Panel(
        "Messages of venues",
        "timeseries",
        (PromQuery("sum by (venue) (rate(marginquake_messages_received_total[1m]))", "{{venue}}"),),
        "Messages a second, before they are cut, thinned or filtered.",
        unit="cps",
        empty="no collector is scraped",
    ),
    Panel(
        "Vouched-for time behind the clock",
        "timeseries",
        (PromQuery("max by (venue) (marginquake_heartbeat_lag_seconds)", "{{venue}}"),),
        "About 3 s when all is well; above 15 s a connection is refused, silent or behind.",
        unit="s",
        steps=_LATE,
        empty="no collector is scraped",
    ),
    Panel(
        "Gaps and reconnects, 10 minutes",
        "timeseries",
        (
            PromQuery(
                "sum by (venue, reason) (increase(marginquake_feed_gaps_total[10m]))",
                "gap {{venue}} {{reason}}",
            ),
            PromQuery(
                "sum by (venue, reason) (increase(marginquake_reconnects_total[10m]))",
                "reconnect {{venue}} {{reason}}",
            ),
        ),
        "Gaps that collectors told, and connections begun anew, by reason.",
        empty="no collector is scraped",
    ),
    Panel(
        "Records unacknowledged",
        "timeseries",
        (PromQuery("sum by (venue) (marginquake_records_unacknowledged)", "{{venue}}"),),
        "Near 2,000 a connection the broker is too slow.",
        empty="no collector is scraped",
    ),
    Panel(
        "Feeds in the joint watermark",
        "timeseries",
        (PromQuery("sum by (venue) (marginquake_feeds_up)", "{{venue}}"),),
        "Channels of connections that take part in event time.",
        empty="no framer is scraped",
    ),
    Panel(
        "Records into the framer",
        "timeseries",
        (PromQuery("marginquake:records_received:rate5m", "{{venue}} {{channel}}"),),
        "Records a second of raw.v1 that were read.",
        unit="cps",
        empty="no framer is scraped",
    ),
    Panel(
        "Event time behind receipt",
        "timeseries",
        (PromQuery("max by (partition) (marginquake_watermark_lag_seconds)", "p{{partition}}"),),
        "Newest receipt less the joint watermark, by partition.",
        unit="s",
        steps=_LATE,
        empty="no framer is scraped",
    ),
    Panel(
        "Late records",
        "timeseries",
        (PromQuery("marginquake:records_late:ratio10m", "{{venue}} {{channel}}"),),
        "Share that came after its second was sealed; above 0.1 % an alert fires.",
        unit="percentunit",
        empty="no framer is scraped",
    ),
    Panel(
        "Dead letters, 10 minutes",
        "timeseries",
        (
            PromQuery(
                "sum by (stage, reason) (increase(marginquake_records_dead_lettered_total[10m]))",
                "{{stage}} {{reason}}",
            ),
        ),
        "Records that could not be used, by stage and reason; see v_dead_letters.",
        empty="none",
    ),
    Panel(
        "Consumer lag",
        "timeseries",
        (
            PromQuery(
                "sum by (topic) (marginquake:consumer_lag_records:max)",
                "{{topic}}",
            ),
        ),
        "Records between a stage's position and the end of its topics.",
        empty="no stage is scraped",
    ),
    Panel(
        "From event to result, p99",
        "timeseries",
        (PromQuery("marginquake:end_to_end_latency_seconds:p99_5m", "{{topic}}"),),
        "Event time of a frame to the acknowledgement of its result; live data only.",
        unit="s",
        steps=((5.0, "yellow"), (8.0, "red")),
        empty="no detector is scraped",
    ),
    Panel(
        "Wait of the market stage",
        "timeseries",
        (
            PromQuery(
                "max(marginquake_market_wait_seconds and on (instance) "
                'marginquake_build{process="detect"})',
                "wait",
            ),
        ),
        "Newest tick less the last sealed market second: the slowest partition's lead.",
        unit="s",
        steps=((15.0, "yellow"), (30.0, "red")),
        empty="no detector is scraped",
    ),
    Panel(
        "Results",
        "timeseries",
        (PromQuery("sum by (topic) (rate(marginquake_results_total[5m]))", "{{topic}}"),),
        "Results a second, each revision counted.",
        unit="cps",
        empty="no detector is scraped",
    ),
    Panel(
        "Writing state, p99",
        "timeseries",
        (PromQuery("marginquake:checkpoint_seconds:p99_5m", "{{stage}}"),),
        "Time until a checkpoint is acknowledged.",
        unit="s",
        empty="no stage is scraped",
    ),
    Panel(
        "Flink's job",
        "stat",
        (
            PromQuery("max by (stage) (marginquake_flink_job_running)", "{{stage}} running"),
            PromQuery("max by (stage) (marginquake_flink_failures)", "{{stage}} failures"),
        ),
        "1 while the mini-cluster's job is RUNNING; failures that it restarted after.",
        empty="no Flink",
    ),
    Panel(
        "Rows written",
        "timeseries",
        (PromQuery("sum by (table) (rate(marginquake_rows_written_total[1m]))", "{{table}}"),),
        "Rows a second that ClickHouse acknowledged.",
        unit="cps",
        empty="no sink is scraped",
    ),
    Panel(
        "Inserts, p99, and retries",
        "timeseries",
        (
            PromQuery("max(marginquake:insert_seconds:p99_5m)", "slowest table, p99 (s)"),
            PromQuery(
                "max(marginquake_sink_wait_seconds and on (instance) "
                'marginquake_build{process="sink"})',
                "longest wait (s)",
            ),
            PromQuery("sum(rate(marginquake_insert_retries_total[5m]))", "retries a second"),
        ),
        "Seconds of an acknowledged insert, and how long a batch has waited; retries mean that "
        "ClickHouse is away or refuses.",
        empty="no sink is scraped",
    ),
    Panel(
        "Webhook",
        "timeseries",
        (
            PromQuery("sum(rate(marginquake_webhook_delivered_total[5m]))", "delivered a second"),
            PromQuery("sum(rate(marginquake_webhook_retries_total[5m]))", "retries a second"),
            PromQuery(
                "max(marginquake_webhook_wait_seconds and on (instance) "
                'marginquake_build{process="webhook"})',
                "longest wait (s)",
            ),
        ),
        "Rows that the receiver took, and how long the oldest has waited for it.",
        empty="no webhook is scraped",
    ),
)
