-- Instruments, and dictionaries over them and over the feeds, for dictGet in a query:
--   dictGet('dict_instruments', 'contract', ('bybit', 'BTCUSDT'))
--   dictGet('dict_feeds', 'feed_class', tuple('bybit'), toDateTime('2025-06-01 00:00:00', 'UTC'))
-- `marginquake migrate` writes the tables whenever they differ from the program, and reloads.

CREATE TABLE IF NOT EXISTS instruments
(
    venue LowCardinality(String) COMMENT 'venue id',
    symbol String COMMENT 'the venue''s own symbol',
    asset LowCardinality(String) COMMENT 'coin whose price decides',
    quote LowCardinality(String) COMMENT 'currency of the price',
    contract LowCardinality(String) COMMENT 'linear, inverse, quanto or spot',
    size_unit LowCardinality(String) COMMENT 'unit of the venue''s sizes',
    contract_size Decimal(38, 18) COMMENT 'coins per contract (linear), dollars per contract (inverse), else 1',
    coins_per_unit UInt32 COMMENT 'coins of one quoted unit: 1000 for 1000PEPEUSDT'
)
ENGINE = MergeTree
ORDER BY (venue, symbol)
SETTINGS non_replicated_deduplication_window = 0
COMMENT 'Instruments that the program knows by table; others follow a venue''s rule';

CREATE OR REPLACE VIEW v_instruments AS SELECT * FROM instruments;

-- Without a host the source is this server: on chDB the store itself.
CREATE OR REPLACE DICTIONARY dict_instruments
(
    venue String,
    symbol String,
    asset String,
    quote String,
    contract String,
    size_unit String,
    contract_size Decimal(38, 18),
    coins_per_unit UInt32
)
PRIMARY KEY venue, symbol
SOURCE(CLICKHOUSE(TABLE 'instruments'))
LAYOUT(COMPLEX_KEY_HASHED())
LIFETIME(0);

-- The ends of an interval are both inside it; the table's end is the first moment after it.
CREATE OR REPLACE VIEW v_feed_intervals AS
SELECT
    venue, toDateTime(valid_from_us, 'UTC') AS since,
    ifNull(toDateTime(valid_to_us, 'UTC') - 1, toDateTime(4294967295, 'UTC')) AS until,
    feed_class, slot
FROM feed_semantics;

CREATE OR REPLACE DICTIONARY dict_feeds
(
    venue String,
    since DateTime,
    until DateTime,
    feed_class String,
    slot String
)
PRIMARY KEY venue
SOURCE(CLICKHOUSE(TABLE 'v_feed_intervals'))
LAYOUT(COMPLEX_KEY_RANGE_HASHED())
RANGE(MIN since MAX until)
LIFETIME(0);
