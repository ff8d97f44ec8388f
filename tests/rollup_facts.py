"""Bases of rollups, and rollups told by their bases alone: flat aggregates over FINAL."""

from streams.core.events import MICROS, Liquidation, stable_id
from streams.core.frames import Cell, Flow, Frame

EDGE_US = 1_793_491_200 * MICROS
"""2026-11-01 00:00 UTC: a month, a day, an hour and a minute begin."""

_LEVELS = {"1m": ("minute", "toStartOfMinute"), "1h": ("hour", "toStartOfHour")}

_FORCED = (
    "arraySum(arrayMap((usd, side, kind) -> if(side = '{side}' AND kind != 'adl', usd, "
    "toDecimal64(0, 6)), cells.usd, cells.side, cells.kind))"
)
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
        FROM frames FINAL GROUP BY ALL ORDER BY ALL""",  # noqa: S608
    "candles": """
        SELECT toString(asset) AS asset, {start}(second) AS {period}, one.1 AS venue,
            one.2 AS symbol, one.3 AS contract, sum(one.4), sum(one.5), sum(one.6), sum(one.7),
            argMin(one.8, second), max(one.9), min(one.10), argMax(one.11, second)
        FROM frames FINAL
        ARRAY JOIN arrayZip(flows.venue, flows.symbol, flows.contract, flows.n, flows.buy_usd,
            flows.sell_usd, flows.unknown_usd, flows.open, flows.high, flows.low, flows.close)
            AS one
        GROUP BY ALL ORDER BY ALL""",
}


def forced_order(
    number: int, at_s: int, usd: int, venue: str = "bybit", side: str = "long"
) -> Liquidation:
    at_us = EDGE_US + at_s * MICROS
    return Liquidation(
        venue=venue,
        symbol="BTCUSDT",
        asset="BTC" if number % 2 else "ETH",
        contract="linear",
        kind="adl" if number % 5 == 0 else "liquidation",
        position_side=side,  # type: ignore[arg-type]
        order_side="sell" if side == "long" else "buy",
        price=71_804.2,
        price_kind="bankruptcy",
        base_qty=0.5,
        usd=usd,
        event_time_us=at_us,
        received_at_us=at_us + 40_000,
        completeness="all",
        id=stable_id("order", number, at_s),
    )


def framed(at_s: int, usd: int, price: float, coverage: float = 1.0, venue: str = "bybit") -> Frame:
    return Frame(
        asset="BTC",
        partition=0,
        second=EDGE_US + at_s * MICROS,
        prev=None,
        coverage=coverage,
        venues_up=(venue,),
        venues_all=(venue,),
        channels=(),
        quiet=False,
        cells=(
            Cell(
                venue=venue,
                symbol="BTCUSDT",
                side="long",
                kind="liquidation",
                completeness="all",
                n=1,
                usd=usd,
                max_usd=usd,
                taker_usd=None,
                opposite_taker_usd=None,
            ),
        )
        if usd
        else (),
        late=(),
        flows=(
            Flow(
                venue=venue,
                symbol="BTCUSDT",
                contract="linear",
                n=2,
                buy_usd=usd,
                sell_usd=1,
                unknown_usd=0,
                open=price,
                high=price + 1,
                low=price - 1,
                close=price + 0.5,
            ),
        )
        if price
        else (),
        tickers=(),
        books=(),
        macro=(),
    )


def from_base(rollup: str) -> str:
    """The statement whose rows a rollup's view must equal, in order."""
    base, level = rollup.rsplit("_", 1)
    period, start = _LEVELS[level]
    return _BASES[base].format(period=period, start=start)
