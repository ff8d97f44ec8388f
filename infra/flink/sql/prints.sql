-- Forced orders of liquidations.v1, summed by the JVM alone into prints_sql.v1: each minute, and the
-- 24 hours that end with it, by asset, venue and side. An oracle for the Python print that shares no
-- line of code with it, and a place to begin for whoever writes Flink SQL.
--
--   marginquake flink sql                       # runs on; add --bounded to end with the topic's end
--
-- ${kafka}: bootstrap servers. ${bounded}: 'unbounded' or 'latest-offset'.

SET 'table.local-time-zone' = 'UTC';
-- An id comes again only after a crash of the framer: a day of ids is more than enough. Flink counts
-- this by the wall clock: a job that was down for longer begins its 24 hours anew.
SET 'table.exec.state.ttl' = '26 h';
-- A partition without orders must not hold the others back. One that wakes later than this behind
-- them loses what is older than their watermark: numLateRecordsDropped counts it.
SET 'table.exec.source.idle-timeout' = '60 s';

CREATE TEMPORARY TABLE liquidations (
  id STRING,
  venue STRING,
  asset STRING,
  kind STRING,
  position_side STRING,
  usd BIGINT,             -- micro-dollars
  event_time_us BIGINT,   -- microseconds, UTC
  event_time AS TO_TIMESTAMP_LTZ(event_time_us / 1000, 3),
  seen AS PROCTIME(),
  -- The framer sends an asset's orders in order; one whose feed falls silent is ten seconds behind
  -- its neighbours in the partition.
  WATERMARK FOR event_time AS event_time - INTERVAL '30' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'liquidations.v1',
  'properties.bootstrap.servers' = '${kafka}',
  'properties.group.id' = 'marginquake-prints-sql',
  'scan.startup.mode' = 'earliest-offset',
  'scan.bounded.mode' = '${bounded}',
  'format' = 'json'
);

CREATE TEMPORARY TABLE print_totals (
  `type` STRING,
  kind STRING,
  asset STRING,
  venue STRING,
  side STRING,
  period_start BIGINT,
  period_end BIGINT,
  events BIGINT,
  usd BIGINT
) WITH (
  'connector' = 'kafka',
  'topic' = 'prints_sql.v1',
  'properties.bootstrap.servers' = '${kafka}',
  'properties.acks' = 'all',
  'key.format' = 'raw',
  'key.fields' = 'asset',
  'value.format' = 'json',
  'value.fields-include' = 'ALL',
  'sink.delivery-guarantee' = 'at-least-once'
);

-- Each order once, whatever was sent again.
CREATE TEMPORARY VIEW orders AS
SELECT * FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY id ORDER BY seen) AS copy FROM liquidations
)
WHERE copy = 1 AND kind <> 'adl';

CREATE TEMPORARY VIEW minutes AS
SELECT
  asset,
  venue,
  position_side AS side,
  window_time,
  MIN(event_time_us) / 60000000 * 60000000 AS minute_us,
  COUNT(*) AS events,
  SUM(usd) AS usd
FROM TUMBLE(TABLE orders, DESCRIPTOR(event_time), INTERVAL '1' MINUTE)
GROUP BY asset, venue, position_side, window_start, window_end, window_time;

EXECUTE STATEMENT SET BEGIN

INSERT INTO print_totals
SELECT 'print_total', 'minute', asset, venue, side, minute_us, minute_us + 60000000, events, usd
FROM minutes;

INSERT INTO print_totals
SELECT
  'print_total', 'rolling_24h', asset, venue, side,
  minute_us + 60000000 - 86400000000, minute_us + 60000000,
  SUM(events) OVER day_before, SUM(usd) OVER day_before
FROM minutes
WINDOW day_before AS (
  PARTITION BY asset, venue, side ORDER BY window_time
  RANGE BETWEEN INTERVAL '23:59' HOUR TO MINUTE PRECEDING AND CURRENT ROW
);

END;
