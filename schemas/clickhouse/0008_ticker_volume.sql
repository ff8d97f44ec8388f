-- What a venue says was traded with it in its own last 24 hours, beside its other ticker values.
-- Frames written before have none: ClickHouse fills the array in to the length of its neighbours.

ALTER TABLE frames ADD COLUMN IF NOT EXISTS `tickers.volume_24h_usd` Array(Nullable(Decimal(18, 6))) COMMENT 'USD traded in the venue''s own last 24 hours, each trade once' CODEC(ZSTD(1)) AFTER `tickers.as_of_us`;

CREATE OR REPLACE VIEW v_frame_tickers AS
SELECT
    f.asset AS asset, f.second AS second,
    t.venue AS venue, t.symbol AS symbol, t.contract AS contract, t.mark_price AS mark_price,
    t.index_price AS index_price, t.last_price AS last_price,
    t.open_interest_base AS open_interest_base, t.open_interest_usd AS open_interest_usd,
    t.open_interest_as_of_us AS open_interest_as_of_us, t.funding_rate AS funding_rate,
    t.next_funding_us AS next_funding_us, t.funding_interval_s AS funding_interval_s,
    t.as_of_us AS as_of_us, t.volume_24h_usd AS volume_24h_usd
FROM frames AS f FINAL
ARRAY JOIN tickers AS t;
