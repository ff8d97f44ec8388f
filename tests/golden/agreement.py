"""Every line of the shared fixtures against what an independent normaliser made of it.

`verdicts` gives each line one verdict: it agrees, or it deviates under a name from `DEVIATIONS`;
anything else is a difference that nobody meant. Lines are replayed by `session` and `seq`, without
a channel. Their receipt is a constant of the other project's tests, so the parsers are called
without the shared checks of the clock, and forced orders as received when they happened.

`python -m tests.golden.agreement` prints the agreement per venue.
"""

import json
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from streams.core.events import Book, Liquidation, Outcome, Raw, Rejected, Ticker, Trade
from streams.core.instruments import Instrument, Instruments
from streams.venues import PARSERS, RULES
from streams.venues.assumptions import DOCUMENTED, sides_counted
from streams.venues.catalog import default_instruments

FIXTURES: Final = Path(__file__).resolve().parents[2].parent / "shared/data/fixtures/dev.jsonl"
AGREES: Final = "agrees"
DIFFERS: Final = "differs"
DEVIATIONS: Final[Mapping[str, str]] = {
    "no_dollar": "a pair that is quoted in a coin has no dollars to count, so it is refused",
    "average_fill": "Binance: ours is the average fill `ap`, theirs the order's limit price",
    "book_delta": "a parser keeps no book: the collector folds updates, an archive's are left out",
    "quotes": "best quotes inside tickers are no book of ours; Binance's have the engine's stamp",
    "index_name": "an index price keeps the index's name (OKX) or is not read (Binance pairs)",
    "receipt": "what has no stamp of its own (polls, OKX funding of v3) has that of its receipt",
    "latest_stamp": "a ticker has its message's own stamp; theirs the latest of all it joins",
    "first_message": "OKX: the first forced orders after a subscribe are kept when young",
    "feed_switch": "topics that took another's place are read at any date; theirs from one day on",
    "other_product": "OKX: funding of a swap among futures is read; theirs only among swaps",
    "unchanged": "a ticker that repeats a state is an event of ours and none of theirs",
    "volume": "a volume of 24 hours without a price is an event of ours and none of theirs",
    "without_id": "an aggTrade whose id was lost in the recording is rejected",
    "both_sides": "Bybit: ours is open interest of one side, theirs `openInterest` as it is",
    "plain_snapshot": "Binance: a snapshot as it is; theirs has updates of before folded in",
}
_LISTED: Final = {
    "FIL-USD-220325": "10",
    "FIL-USDT-220325": "0.1",
    "ADA-USDT-211224": "100",
    "BTC-USD-220624": "100",
    "BTC-USDT-211231": "0.01",
    "XRP-USD-230929": "10",
    "BTC-USD_UM_XPERP-310404": "0.0001",
    "WNCG-USDT-SWAP": "1",
    "SOS-USDT-SWAP": "100000",
}
"""Contract values of OKX that the recordings name and the instrument table has no longer."""
_FIELDS: Final = {
    "lastPrice": "last_price",
    "markPrice": "mark_price",
    "indexPrice": "index_price",
    "fundingRate": "funding_rate",
    "fundingTimestamp_us": "next_funding_us",
}


def _instrument(symbol: str, size: str) -> Instrument:
    asset, quote = symbol.split("-")[:2]
    kind = "inverse" if quote == "USD" else "linear"
    return Instrument(
        "okx",
        symbol,
        asset,
        quote.partition("_")[0],
        "inverse" if kind == "inverse" else "linear",
        "contracts",
        Decimal(size),
    )


_BUILT_IN: Final = default_instruments()
INSTRUMENTS: Final = Instruments(
    {("okx", symbol): _instrument(symbol, size) for symbol, size in _LISTED.items()},
    {
        venue: lambda symbol, venue=venue: _BUILT_IN.resolve(venue, symbol)  # type: ignore[misc]
        for venue in RULES
    },
)


def lines() -> list[dict[str, Any]]:
    """The fixtures, by session and place in it."""
    found = [json.loads(line) for line in FIXTURES.read_text(encoding="utf-8").splitlines()]
    return sorted(found, key=lambda row: (row["session"], row["seq"]))


def verdicts() -> Iterator[tuple[dict[str, Any], str, str]]:
    """Every line with its verdict, and what of it differs."""
    state: defaultdict[tuple[int, str], dict[str, Any]] = defaultdict(dict)
    for line in lines():
        verdict, why = _verdict(line, state)
        yield line, verdict, why


def _made(line: dict[str, Any]) -> list[Outcome]:
    forced = [one["timestamp_us"] for one in line["expected"] if one["type"] == "liquidation"]
    venue = "bybit-spot" if line["exchange"] == "bybit-spot" else line["venue"]
    received_us = forced[0] if forced and venue == "okx" else line["received_at_us"]
    payload = json.dumps(line["payload"]).encode()
    return PARSERS[venue](Raw(venue, None, "golden", received_us, payload), INSTRUMENTS)


def _verdict(line: dict[str, Any], state: Mapping[Any, dict[str, Any]]) -> tuple[str, str]:
    ours, theirs = _made(line), line["expected"]
    for one in ours:
        if isinstance(one, Ticker):
            stamps = state[line["session"], one.symbol].setdefault("stamps", [])
            stamps.append(one.event_time_us)
            told = state[line["session"], one.symbol]
            told |= {name: value for name, value in _told(one).items() if value is not None}
    rejected = [one for one in ours if isinstance(one, Rejected)]
    if rejected:
        return _refused(rejected[0], theirs), rejected[0].detail
    if not theirs:
        return _unexpected(line, ours)
    found = {AGREES}
    for kind in dict.fromkeys(one["type"] for one in theirs):
        expected = [one for one in theirs if one["type"] == kind]
        verdict, why = _kind(line, kind, expected, ours, state)
        if verdict == DIFFERS:
            return verdict, f"{kind}: {why}"
        found.add(verdict)
    return next((name for name in DEVIATIONS if name in found), AGREES), ""


def _refused(rejected: Rejected, theirs: list[dict[str, Any]]) -> str:
    if rejected.reason == "missing_field" and not theirs:
        return "without_id"
    coins = all("USD" not in one["symbol"] for one in theirs)
    return "no_dollar" if rejected.reason == "unknown_instrument" and coins else rejected.reason


def _unexpected(line: dict[str, Any], ours: list[Outcome]) -> tuple[str, str]:
    kinds = {type(one) for one in ours}
    if Liquidation in kinds:
        return ("first_message" if line["venue"] == "okx" else "feed_switch"), ""
    if Ticker in kinds:
        tickers = [one for one in ours if isinstance(one, Ticker)]
        if line["payload"].get("table") == "swap/funding_rate":
            return "other_product", ""
        if tickers[0].contract == "spot":
            return "index_name", ""
        prices = (tickers[0].mark_price, tickers[0].index_price, tickers[0].last_price)
        return ("volume" if prices == (None,) * 3 else "unchanged"), ""
    if line["payload"].get("table") == "futures/depth":
        return "feed_switch", ""
    if kinds == {Book} and all(len(one.bids) == 1 for one in ours if isinstance(one, Book)):
        return "quotes", ""
    return (DIFFERS, f"ours has {ours}") if kinds & {Trade, Book} else (AGREES, "")


def _kind(
    line: dict[str, Any],
    kind: str,
    theirs: list[dict[str, Any]],
    ours: list[Outcome],
    state: Mapping[Any, dict[str, Any]],
) -> tuple[str, str]:
    if kind in ("liquidation", "trade"):
        sort = Liquidation if kind == "liquidation" else Trade
        events = [one for one in ours if isinstance(one, sort)]
        if len(events) != len(theirs):
            return DIFFERS, f"{len(events)} of ours, {len(theirs)} of theirs"
        pairs = zip(events, theirs, strict=True)
        return max((_order(one, other) for one, other in pairs), key=_worst)
    if kind == "derivative_ticker":
        return _ticker(line, theirs, ours, state)
    books = [one for one in ours if isinstance(one, Book)]
    if kind == "book_ticker":
        return _quote(books[0], theirs[0]) if books else ("quotes", "")
    if not books:
        return ("book_delta", "") if not theirs[0]["isSnapshot"] else (DIFFERS, str(ours)[:200])
    verdict, why = _book(books[0], theirs[0])
    if verdict == DIFFERS and "lastUpdateId" in line["payload"].get("data", {}):
        return _book(books[0], _as_sent(line["payload"]["data"]), "plain_snapshot")
    return verdict, why


def _worst(verdict: tuple[str, str]) -> int:
    return [AGREES, *DEVIATIONS, DIFFERS].index(verdict[0])


def _order(ours: Liquidation | Trade, theirs: dict[str, Any]) -> tuple[str, str]:
    side = ours.order_side if isinstance(ours, Liquidation) else ours.taker_side
    exact = {
        "symbol": ours.symbol,
        "side": side,
        "timestamp_us": ours.event_time_us,
    }
    if isinstance(ours, Trade):
        exact["id"] = ours.id
    else:
        exact["position_side"] = ours.position_side
    wrong = [name for name, value in exact.items() if theirs[name] != value]
    if not math.isclose(_size(ours), theirs["amount"], rel_tol=1e-12):
        wrong.append("amount")
    if wrong:
        return DIFFERS, f"{', '.join(wrong)} of {ours} and {theirs}"
    filled = isinstance(ours, Liquidation) and ours.price_kind == "avg_fill"
    if ours.price == theirs["price"] and not filled:
        return AGREES, ""
    return ("average_fill", "") if filled else (DIFFERS, f"price {ours.price}, {theirs['price']}")


def _size(ours: Liquidation | Trade) -> float:
    """Our size in the venue's own unit."""
    listed = INSTRUMENTS.resolve(ours.venue, ours.symbol)
    assert listed is not None
    if listed.in_dollars:
        return ours.usd / 1e6 / float(listed.contract_size)
    assert ours.base_qty is not None
    return ours.base_qty / float(listed.contract_size) / listed.coins_per_unit


def _told(ours: Ticker) -> dict[str, Any]:
    listed = INSTRUMENTS.resolve(ours.venue, ours.symbol)
    assert listed is not None
    face = float(listed.contract_size)
    interest = None if ours.open_interest_base is None else ours.open_interest_base / face
    if ours.open_interest_usd is not None and listed.in_dollars:
        interest = ours.open_interest_usd / 1e6 / face
    values: dict[str, Any] = {name: getattr(ours, field) for name, field in _FIELDS.items()}
    return {**values, "openInterest": interest}


def _ticker(
    line: dict[str, Any],
    theirs: list[dict[str, Any]],
    ours: list[Outcome],
    state: Mapping[Any, dict[str, Any]],
) -> tuple[str, str]:
    found = AGREES
    events = [one for one in ours if isinstance(one, Ticker)]
    for other in theirs:
        known = state[line["session"], other["symbol"]]
        for name in (*_FIELDS, "openInterest"):
            if known.get(name) == other.get(name):
                continue
            if name == "indexPrice" and known.get(name) is None:
                found = "index_name"
            elif name == "openInterest" and known.get(name) == _one_side(line, other):
                found = "both_sides"
            else:
                return DIFFERS, f"{name}: {known.get(name)}, theirs {other.get(name)}"
        stamps = {one.event_time_us for one in events if one.symbol == other["symbol"]}
        if stamps and other["timestamp_us"] not in stamps:
            if stamps == {line["received_at_us"]}:
                found = "receipt"
            elif other["timestamp_us"] == max(known["stamps"]):
                found = "latest_stamp"
            else:
                return DIFFERS, f"time {stamps}, theirs {other['timestamp_us']}"
    return found, ""


def _one_side(line: dict[str, Any], theirs: dict[str, Any]) -> float | None:
    counted = sides_counted(DOCUMENTED, line["venue"]).interest
    return theirs["openInterest"] / counted if counted > 1 and theirs["openInterest"] else None


def _as_sent(message: dict[str, Any]) -> dict[str, Any]:
    """A message's own levels, in their form."""
    return {
        side: [{"price": float(row[0]), "amount": float(row[1])} for row in message[side]]
        for side in ("bids", "asks")
    }


def _quote(ours: Book, theirs: dict[str, Any]) -> tuple[str, str]:
    levels = {
        f"{side}s": [{"price": theirs[f"{side}Price"], "amount": theirs[f"{side}Amount"]}]
        for side in ("bid", "ask")
    }
    same = ours.event_time_us == theirs["timestamp_us"]
    return _book(ours, levels, AGREES if same else "quotes")


def _book(ours: Book, theirs: dict[str, Any], agreed: str = AGREES) -> tuple[str, str]:
    listed = INSTRUMENTS.resolve(ours.venue, ours.symbol)
    assert listed is not None
    face = float(listed.contract_size)
    for levels, side in ((ours.bids, "bids"), (ours.asks, "asks")):
        for (price, size), level in zip(levels, theirs[side], strict=False):
            unit = price / face if listed.in_dollars else 1 / face
            if price != level["price"] or not math.isclose(size * unit, level["amount"]):
                return DIFFERS, f"{side}: {price} x {size * unit}, theirs {level}"
    if (len(ours.bids), len(ours.asks)) != (len(theirs["bids"]), len(theirs["asks"])):
        return DIFFERS, "number of levels"
    return agreed, ""


def table() -> str:
    """Lines per venue: all, those that agree, and those of each deviation."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for line, verdict, _ in verdicts():
        counts[line["venue"]][verdict] += 1
    rows = []
    for venue, found in sorted(counts.items()):
        others = ", ".join(f"{n} {name}" for name, n in found.most_common() if name != AGREES)
        rows.append(f"{venue}: {found[AGREES]} of {found.total()} agree; {others}")
    return "\n".join(rows)


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
