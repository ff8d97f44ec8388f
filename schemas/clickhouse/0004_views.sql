-- Views for consumers: one row per id, the highest revision. FINAL is right here because no table
-- can hold two revisions of one id in different partitions or under different sorting keys.

CREATE OR REPLACE VIEW v_liquidations AS SELECT * FROM liquidations FINAL;

CREATE OR REPLACE VIEW v_late_events AS SELECT * FROM late_events FINAL;

CREATE OR REPLACE VIEW v_dead_letters AS SELECT * FROM dead_letters FINAL;

CREATE OR REPLACE VIEW v_feed_status AS SELECT * FROM feed_status FINAL;

CREATE OR REPLACE VIEW v_cascades AS SELECT * FROM cascades FINAL;

CREATE OR REPLACE VIEW v_prints AS SELECT * FROM prints FINAL;

CREATE OR REPLACE VIEW v_milestones AS SELECT * FROM milestones FINAL;

CREATE OR REPLACE VIEW v_frames AS SELECT * FROM frames FINAL;

-- The newest rolling 24 h print of each scope, over all venues. The inner query reads three
-- narrow columns; only the chosen minutes are then read in full.
CREATE OR REPLACE VIEW v_print_24h AS
SELECT *
FROM prints FINAL
WHERE kind = 'rolling_24h'
    AND venue IS NULL
    AND (scope, period_start) IN
    (
        SELECT scope, max(period_start)
        FROM prints
        WHERE kind = 'rolling_24h' AND venue IS NULL
        GROUP BY scope
    )
ORDER BY as_of DESC, revision DESC
LIMIT 1 BY scope;

CREATE OR REPLACE VIEW v_frame_cells AS
SELECT
    f.asset AS asset, f.second AS second, f.coverage AS coverage,
    cell.venue AS venue, cell.symbol AS symbol, cell.side AS side, cell.kind AS kind,
    cell.completeness AS completeness, cell.n AS n, cell.usd AS usd, cell.max_usd AS max_usd,
    cell.taker_usd AS taker_usd, cell.opposite_taker_usd AS opposite_taker_usd
FROM frames AS f FINAL
ARRAY JOIN cells AS cell;

CREATE OR REPLACE VIEW v_frame_late AS
SELECT
    f.asset AS asset, f.second AS arrived_in, cell.second AS second, cell.venue AS venue,
    cell.symbol AS symbol, cell.side AS side, cell.kind AS kind, cell.n AS n, cell.usd AS usd
FROM frames AS f FINAL
ARRAY JOIN late AS cell;

CREATE OR REPLACE VIEW v_frame_flows AS
SELECT
    f.asset AS asset, f.second AS second,
    flow.venue AS venue, flow.symbol AS symbol, flow.contract AS contract, flow.n AS n,
    flow.buy_usd AS buy_usd, flow.sell_usd AS sell_usd,
    flow.open AS open, flow.high AS high, flow.low AS low, flow.close AS close
FROM frames AS f FINAL
ARRAY JOIN flows AS flow;

CREATE OR REPLACE VIEW v_frame_tickers AS
SELECT
    f.asset AS asset, f.second AS second,
    t.venue AS venue, t.symbol AS symbol, t.contract AS contract, t.mark_price AS mark_price,
    t.index_price AS index_price, t.last_price AS last_price,
    t.open_interest_base AS open_interest_base, t.open_interest_usd AS open_interest_usd,
    t.open_interest_as_of_us AS open_interest_as_of_us, t.funding_rate AS funding_rate,
    t.next_funding_us AS next_funding_us, t.funding_interval_s AS funding_interval_s,
    t.as_of_us AS as_of_us
FROM frames AS f FINAL
ARRAY JOIN tickers AS t;

CREATE OR REPLACE VIEW v_frame_books AS
SELECT
    f.asset AS asset, f.second AS second,
    b.venue AS venue, b.symbol AS symbol, b.contract AS contract, b.bid AS bid, b.ask AS ask,
    b.bid_usd AS bid_usd, b.ask_usd AS ask_usd, b.as_of_us AS as_of_us
FROM frames AS f FINAL
ARRAY JOIN books AS b;

-- A window with its forced orders. Both sides are cut into hours, so that the join compares a
-- window with the orders of its own hours only; the last second of the window counts in full.
CREATE OR REPLACE VIEW v_cascade_events AS
SELECT
    w.cascade_id AS cascade_id, w.window_scope AS scope, w.window_side AS side,
    w.window_class AS class, w.window_onset AS onset,
    l.event_time_us AS event_time_us, l.venue AS venue, l.symbol AS symbol, l.asset AS asset,
    l.contract AS contract, l.kind AS kind, l.position_side AS position_side, l.price AS price,
    l.base_qty AS base_qty, l.usd AS usd, l.completeness AS completeness, l.is_late AS is_late,
    l.id AS id
FROM
(
    SELECT *, arrayJoin([toString(asset), 'ALL']) AS in_scope,
        intDiv(toUnixTimestamp64Micro(event_time_us), 3600000000) AS hour
    FROM liquidations FINAL
) AS l
INNER JOIN
(
    SELECT
        id AS cascade_id, toString(scope) AS window_scope, side AS window_side,
        class AS window_class, onset AS window_onset,
        coalesce(end, closed_at, watermark) + INTERVAL 1 SECOND AS window_stop,
        arrayJoin(range(
            intDiv(toUnixTimestamp64Micro(window_onset), 3600000000),
            intDiv(toUnixTimestamp64Micro(window_stop), 3600000000) + 1
        )) AS hour
    FROM cascades FINAL
) AS w
ON l.in_scope = w.window_scope AND l.hour = w.hour
WHERE l.event_time_us >= w.window_onset
    AND l.event_time_us < w.window_stop
    AND (w.window_side = 'mixed' OR l.position_side = w.window_side);
