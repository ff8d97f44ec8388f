"""Messages of OKX that are good, and the fields that their rows cannot do without."""

from typing import Any

from tests.messages import Needed

SWAP = "BTC-USDT-SWAP"
DETAIL = {"side": "sell", "posSide": "long", "bkPx": "61500.0", "sz": "35", "ts": "1790000000402"}
TRADE = {"instId": SWAP, "tradeId": "9", "px": "62000.1", "sz": "12", "side": "buy"}
TRADE |= {"ts": "1790000000500"}
INTEREST = {"instId": SWAP, "oi": "5", "oiCcy": "6", "oiUsd": "7", "ts": "1790000000000"}
FUNDING = {"instId": SWAP, "fundingRate": "0.001", "fundingTime": "5", "nextFundingTime": "9"}
SIDES = {"bids": [["5", "1", "0", "1"]], "asks": [["6", "1", "0", "1"]], "ts": "1790000000000"}
AT = {"instrument_id": SWAP, "timestamp": "2026-09-21T14:13:20.402Z"}
OLD_TRADE = {**AT, "trade_id": "9", "price": "62000.1", "size": "12", "side": "buy"}
MESSAGES: list[Any] = [
    {
        "arg": {"channel": "liquidation-orders", "instType": "SWAP"},
        "data": [{"instId": SWAP, "details": [DETAIL, DETAIL]}],
    },
    {"arg": {"channel": "trades", "instId": SWAP}, "data": [TRADE, TRADE]},
    {"arg": {"channel": "open-interest", "instId": SWAP}, "data": [INTEREST]},
    {"arg": {"channel": "funding-rate", "instId": SWAP}, "data": [FUNDING]},
    {"arg": {"channel": "books", "instId": SWAP}, "action": "snapshot", "data": [SIDES]},
    {"table": "swap/trade", "data": [OLD_TRADE]},
    {"table": "swap/ticker", "data": [{**AT, "last": "62000.1", "open_interest": "5"}]},
    {
        "table": "swap/depth_l2_tbt",
        "action": "partial",
        "data": [{**AT, "bids": SIDES["bids"], "asks": SIDES["asks"], "checksum": -5}],
    },
    {"code": "0", "msg": "", "data": [{"instId": SWAP, "uly": "BTC-USDT", "details": [DETAIL]}]},
]
NEEDED: list[Needed] = [
    (MESSAGES[0], DETAIL, sorted(DETAIL.keys() - {"posSide"})),
    (MESSAGES[1], TRADE, sorted(TRADE)),
    (MESSAGES[5], OLD_TRADE, sorted(OLD_TRADE)),
]
