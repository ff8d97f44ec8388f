-- Volume of trades whose side is unknown: with what was bought and sold it makes all of the volume.
-- Frames written before have 0, as have those without such trades.

ALTER TABLE frames ADD COLUMN IF NOT EXISTS `flows.unknown_usd` Array(Decimal(18, 6)) COMMENT 'USD of trades whose side is unknown, in neither of the two' CODEC(T64, ZSTD(1)) AFTER `flows.close`;

-- A view keeps the columns that it was made with: without this it would show none added since.
CREATE OR REPLACE VIEW v_frames AS SELECT * FROM frames FINAL;

CREATE OR REPLACE VIEW v_frame_flows AS
SELECT
    f.asset AS asset, f.second AS second,
    flow.venue AS venue, flow.symbol AS symbol, flow.contract AS contract, flow.n AS n,
    flow.buy_usd AS buy_usd, flow.sell_usd AS sell_usd, flow.unknown_usd AS unknown_usd,
    flow.open AS open, flow.high AS high, flow.low AS low, flow.close AS close
FROM frames AS f FINAL
ARRAY JOIN flows AS flow;
