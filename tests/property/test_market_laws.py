"""Laws of the market stage over random partitions: any interleaving, repetition and restart."""

from random import Random

import msgspec
from hypothesis import given

from streams.core.events import MICROS, PositionSide
from streams.core.frames import Cell, Tick
from streams.core.pipeline import MarketStage
from streams.core.results import Contribution, Result
from streams.engines.stage_store import Unapplied
from tests.drive import META, PARAMS, encoded
from tests.scenarios import FEW, SEEDS, chance
from tests.seconds import FULL, START, cell

Item = Tick | Contribution
ASSETS = ("BTC", "ETH", "SOL", "XRP", "ADA", "DOGE")
SIDES: tuple[PositionSide, PositionSide] = ("long", "short")


def queues(random: Random, partitions: int) -> list[list[Item]]:
    """What each partition sends: ticks of its seconds, contributions somewhere about them."""
    homes = {asset: random.randrange(partitions) for asset in ASSETS}
    seconds = sorted(random.sample(range(START, START + 900), random.randint(20, 200)))
    sent: list[list[Item]] = [[] for _ in range(partitions)]
    ticked: list[int | None] = [None] * partitions
    for second in seconds:
        busy = random.random() < 0.7
        for partition in range(partitions):
            parts: list[Item] = [
                _contribution(random, asset, partition, second)
                for asset in ASSETS
                if homes[asset] == partition and busy and random.random() < 0.6
            ]
            if parts or random.random() < 0.3 or second == seconds[-1]:
                parts.append(
                    Tick(partition, partitions, second * MICROS, ticked[partition], len(parts))
                )
                ticked[partition] = second * MICROS
            sent[partition] += parts
    return sent


def _contribution(random: Random, asset: str, partition: int, second: int) -> Contribution:
    cells: list[Cell] = [
        cell(side, random.uniform(100, 50_000), symbol=f"{asset}USDT")
        for side in SIDES
        if random.random() < 0.4
    ]
    price = random.uniform(90, 110) if random.random() < 0.5 else None
    interest = random.randint(10**12, 10**13) if random.random() < 0.3 else None
    onset = second - random.randint(0, 300)
    onsets = (("long" if random.random() < 0.5 else "short", onset * MICROS),)
    return Contribution(
        asset,
        partition,
        second * MICROS,
        None,
        1.0,
        (FULL,),
        (FULL,),
        tuple(cells),
        (),
        price,
        interest,
        onsets if random.random() < 0.1 else (),  # type: ignore[arg-type]
    )


def interleaved(random: Random, sent: list[list[Item]]) -> list[Item]:
    """One log of them: each partition's ticks in order, its contributions anywhere near."""
    order = [index for index, items in enumerate(sent) for _ in items]
    random.shuffle(order)
    cursors = [iter(items) for items in sent]
    log = [next(cursors[index]) for index in order]
    for index in range(len(log) - 1):
        other = random.randint(index, min(index + 20, len(log) - 1))
        between = log[index : other + 1]
        ticks = [item.partition for item in between if isinstance(item, Tick)]
        if len(ticks) == len(set(ticks)):
            log[index], log[other] = log[other], log[index]
    return log


def applied(log: list[Item]) -> list[Result]:
    stage = MarketStage(PARAMS, META)
    return [row for item in log for row in stage.step(item)]


@FEW
@given(SEEDS)
def test_any_interleaving_of_partitions_gives_the_same_rows(seed: int) -> None:
    random = chance(seed)
    sent = queues(random, random.choice([1, 2, 5]))
    expected = encoded(applied([item for items in sent for item in items]))
    assert expected
    assert encoded(applied(interleaved(random, sent))) == expected
    assert encoded(applied(interleaved(random, sent))) == expected


@FEW
@given(SEEDS)
def test_inputs_that_come_again_change_nothing(seed: int) -> None:
    random = chance(seed)
    log = interleaved(random, queues(random, 3))
    expected = encoded(applied(log))
    again: list[Item] = []
    for index, item in enumerate(log):
        again.append(item)
        if random.random() < 0.05:
            # An engine that crashed repeats what it had sent since its last save.
            again += log[max(0, index - random.randint(0, 60)) : index + 1]
    assert encoded(applied(again)) == expected


@FEW
@given(SEEDS)
def test_a_market_stage_restored_anywhere_goes_on_as_the_one_before(seed: int) -> None:
    random = chance(seed)
    log = interleaved(random, queues(random, 3))
    expected = encoded(applied(log))
    stage, pages = MarketStage(PARAMS, META), dict[str, bytes]()
    rows: list[Result] = []
    for item in log:
        rows += stage.step(item)
        if random.random() < 0.02:
            snapshot = stage.snapshot(pages)
            pages = {name: {**pages, **snapshot.pages}[name] for name in snapshot.needed}
            stage = MarketStage(PARAMS, META)
            stage.restore(snapshot.hot, pages)
    assert encoded(rows) == expected


@FEW
@given(SEEDS)
def test_a_market_stage_that_keeps_no_inputs_reads_them_again_and_goes_on(seed: int) -> None:
    random = chance(seed)
    log = interleaved(random, queues(random, 3))
    expected = encoded(applied(log))
    stage, unapplied = MarketStage(PARAMS, META, keeps_inputs=False), Unapplied()
    rows: list[Result] = []
    at = again = 0
    while at < len(log):
        item = log[at]
        rows += stage.step(item)
        unapplied.heard(item.second // MICROS, at, stage.sealed)
        at += 1
        if again < 40 and random.random() < 0.05:
            snapshot = stage.snapshot()
            record = msgspec.msgpack.decode(snapshot.hot)
            for progress in record["inputs"]["partitions"].values():
                assert not progress["waiting"] + progress["ready"]
                assert not progress["got"]
            stage = MarketStage(PARAMS, META, keeps_inputs=False)
            stage.restore(snapshot.hot, snapshot.pages)
            at, again, unapplied = unapplied.begin(at), again + 1, Unapplied()
    assert encoded(rows) == expected
    assert again > 3
