-- An example of MATCH_RECOGNIZE over frames.v1: orders are forced in at least three traded seconds on
-- end while the price does not rise, and less than five minutes after the first of them it stands
-- 0.1 % above where they ended. The rebound is the first such second but the very next traded one; the
-- next burst is looked for behind it. Of a burst too long for that its end alone is told.
-- Price: the last trade of each second in Binance's USDT perpetual. Prints one row a match.
--
--   marginquake flink sql infra/flink/sql/rebounds.sql --bounded
--
-- ${kafka}: bootstrap servers. ${bounded}: 'unbounded' or 'latest-offset'.

SET 'table.local-time-zone' = 'UTC';
SET 'table.exec.source.idle-timeout' = '60 s';
-- A frame comes again only after a crash of the framer.
SET 'table.exec.state.ttl' = '26 h';

CREATE TEMPORARY TABLE frames (
  asset STRING,
  `second` BIGINT,        -- microseconds, UTC
  cells ARRAY<ROW<side STRING, usd BIGINT>>,
  flows ARRAY<ROW<venue STRING, symbol STRING, `close` DOUBLE>>,
  `prev` BIGINT,          -- that of the asset's frame before
  event_time AS TO_TIMESTAMP_LTZ(`second` / 1000, 3),
  event_time_before AS TO_TIMESTAMP_LTZ(`prev` / 1000, 3),
  seen AS PROCTIME(),
  -- An asset is in order, a partition is not: one whose feed falls silent is ten seconds behind its
  -- neighbours. A log that ends gives each asset one frame hours ahead, so `prev` moves the watermark.
  WATERMARK FOR event_time AS event_time_before - INTERVAL '30' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'frames.v1',
  'properties.bootstrap.servers' = '${kafka}',
  'properties.group.id' = 'marginquake-rebounds-sql',
  'scan.startup.mode' = 'earliest-offset',
  'scan.bounded.mode' = '${bounded}',
  'format' = 'json'
);

-- Each second of an asset once, whatever a restarted framer sent again.
CREATE TEMPORARY VIEW seconds AS
SELECT asset, `second`, event_time, CARDINALITY(cells) AS forced, flow.`close` AS price
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY asset, `second` ORDER BY seen) AS copy FROM frames
)
CROSS JOIN UNNEST(flows) AS flow (venue, symbol, `close`)
WHERE copy = 1 AND flow.venue = 'binance-usdm' AND flow.symbol = asset || 'USDT';

SELECT asset, began_us, ended_us, seconds_forced, first_price, last_price, rebound_us, rebound_price
FROM seconds
MATCH_RECOGNIZE (
  PARTITION BY asset
  ORDER BY event_time
  MEASURES
    FIRST(BURST.`second`) AS began_us,
    LAST(BURST.`second`) AS ended_us,
    COUNT(BURST.`second`) AS seconds_forced,
    FIRST(BURST.price) AS first_price,
    LAST(BURST.price) AS last_price,
    REBOUND.`second` AS rebound_us,
    REBOUND.price AS rebound_price
  ONE ROW PER MATCH
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (BURST{3,} NEXT_SECOND BELOW* REBOUND) WITHIN INTERVAL '5' MINUTE
  DEFINE
    BURST AS BURST.forced > 0
      AND (LAST(BURST.price, 1) IS NULL OR BURST.price <= LAST(BURST.price, 1)),
    -- Never a rebound: of several that a burst could end with, Flink may give any. NEXT_SECOND may be
    -- anything; without it Flink refuses BELOW*, which may be none, behind BURST{3,}, which is greedy.
    BELOW AS BELOW.price <= LAST(BURST.price) * 1.001,
    REBOUND AS REBOUND.price > LAST(BURST.price) * 1.001
);
