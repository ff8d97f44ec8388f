-- What each venue's public feed of forced orders carried, and since when. The rows are those of
-- FEED_SEMANTICS in streams/core/throttle.py: `marginquake migrate` writes them whenever they differ.

CREATE TABLE IF NOT EXISTS feed_semantics
(
    venue LowCardinality(String) COMMENT 'venue id, or what stands before its first hyphen',
    feed_class LowCardinality(String) COMMENT 'full: every order; largest_1s, latest_1s: one a second and slot; partial: orders are missing by no stated rule',
    slot LowCardinality(String) COMMENT 'what competes for a second: symbol, symbol_side or none',
    valid_from_us DateTime64(6, 'UTC') COMMENT 'first event time of the interval, UTC; 1970 = from the beginning',
    valid_to_us Nullable(DateTime64(6, 'UTC')) COMMENT 'first event time after it, UTC; null = still in force',
    source String COMMENT 'where the rule is stated'
)
ENGINE = MergeTree
ORDER BY (venue, valid_from_us)
SETTINGS non_replicated_deduplication_window = 0
COMMENT 'What feeds of forced orders carried, by interval of event time; read v_liquidation_feeds';

-- Every forced order with the class of feed in force when it happened, as `feed` of
-- streams/core/throttle.py resolves it: by venue, else by the venue's name before its first hyphen.
CREATE OR REPLACE VIEW v_liquidation_feeds AS
SELECT
    o.* EXCEPT (feed_venue),
    multiIf(known.feed_class != '', toString(known.feed_class), completeness = 'all', 'full', 'partial') AS feed_class,
    if(known.slot != '', toString(known.slot), 'none') AS slot,
    if(known.source != '', known.source, 'not in the table') AS feed_source
FROM
(
    SELECT
        *,
        if(venue IN (SELECT venue FROM feed_semantics), toString(venue), splitByChar('-', toString(venue))[1]) AS feed_venue
    FROM liquidations FINAL
) AS o
ASOF LEFT JOIN
(
    SELECT toString(venue) AS feed_venue, feed_class, slot, valid_from_us, source FROM feed_semantics
) AS known
ON o.feed_venue = known.feed_venue AND o.event_time_us >= known.valid_from_us;
