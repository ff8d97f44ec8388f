"""Rollups told by their bases alone: one flat aggregate over FINAL each, hours from the seconds."""

_LEVELS = {"1m": ("minute", "toStartOfMinute"), "1h": ("hour", "toStartOfHour")}

_FORCED = "arraySum(arrayMap((usd, side, kind) -> if(side = '{side}' AND kind != 'adl', usd, toDecimal64(0, 6)), cells.usd, cells.side, cells.kind))"
_PRICE = (
    "arrayReduce('quantileExactLowOrNull', "
    "arrayFilter((p, c) -> c != 'spot', flows.close, flows.contract))"
)

_BASES = {
    "liquidations": """
        SELECT toString(asset) AS asset, {start}(event_time_us) AS {period}, venue, position_side,
            kind, count(), sum(usd), max(usd), countIf(is_late), sumIf(usd, is_late)
        FROM liquidations FINAL GROUP BY ALL ORDER BY ALL""",
    "frames": f"""
        SELECT toString(asset) AS asset, {{start}}(second) AS {{period}}, count(),
            countIf(coverage = 1), min(coverage),
            sum(arraySum(arrayMap((n, kind) -> if(kind = 'adl', 0, n), cells.n, cells.kind))),
            sum({_FORCED.format(side="long")}), sum({_FORCED.format(side="short")}),
            argMin({_PRICE}, second), max({_PRICE}), min({_PRICE}), argMax({_PRICE}, second)
        FROM frames FINAL GROUP BY ALL ORDER BY ALL""",
    "candles": """
        SELECT toString(asset) AS asset, {start}(second) AS {period}, one.1 AS venue, one.2 AS symbol,
            one.3 AS contract, sum(one.4), sum(one.5), sum(one.6), sum(one.7),
            argMin(one.8, second), max(one.9), min(one.10), argMax(one.11, second)
        FROM frames FINAL
        ARRAY JOIN arrayZip(flows.venue, flows.symbol, flows.contract, flows.n, flows.buy_usd,
            flows.sell_usd, flows.unknown_usd, flows.open, flows.high, flows.low, flows.close) AS one
        GROUP BY ALL ORDER BY ALL""",
}


def from_base(rollup: str) -> str:
    """The statement whose rows a rollup's view must equal, in order."""
    base, level = rollup.rsplit("_", 1)
    period, start = _LEVELS[level]
    return _BASES[base].format(period=period, start=start)
