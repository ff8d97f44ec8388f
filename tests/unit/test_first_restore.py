"""Stages restored at once by threads that decode a state for the first time.

msgspec shows the description of a struct to other threads while it still makes it: a thread that
decodes with it then ends the whole process (SIGSEGV). Flink's thread mode runs the asset stages
and the market's in threads of one JVM, so each decoder is made when its module is imported.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import streams

ROOT = Path(streams.__file__).parent
SHARED = (
    *(ROOT / "core").rglob("*.py"),
    *(ROOT / "engines").rglob("*.py"),
    ROOT / "contracts.py",
    *(ROOT / "edges" / name for name in ("checkpoints.py", "warm.py")),
)
"""What an engine's threads may run."""
LOCKED = ("read_registry",)
"""Functions that threads wait for."""
BEGINNING = """
import sys
import threading

from streams.core.params import Params
from streams.core.pipeline import AssetStage, MarketStage
from streams.core.results import MARKET
from streams.core.rowmeta import RowMeta

def stage(number):
    if number % 2:
        return MarketStage(Params(), RowMeta("0" * 12, "test", 0))
    return AssetStage("BTC", Params(), RowMeta("0" * 12, "test", 0))

kept = [stage(number).snapshot() for number in range(4)]
again = [stage(number) for number in range(4)]
failed = []
threading.excepthook = lambda told: failed.append(told.exc_value)
start = threading.Barrier(4)

def restore(number):
    start.wait()
    again[number].restore(kept[number].hot, kept[number].pages)

sys.setswitchinterval(1e-6)
threads = [threading.Thread(target=restore, args=(number,)) for number in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
sys.exit(f"failed: {failed}" if failed else 0)
"""
DESCRIPTIONS = """
import sys

import msgspec
import msgspec._utils
import schemas

import streams.edges.warm
from streams import contracts
from streams.core.params import Params
from streams.core.pipeline import AssetStage, MarketStage
from streams.core.results import MARKET
from streams.core.rowmeta import RowMeta
from streams.engines.beginning import reaches

readers = {getattr(msgspec._utils, name).__code__
    for name in ("get_class_annotations", "get_typeddict_info", "get_dataclass_info")}
described = []

def look(frame, event, argument):
    if event == "call" and frame.f_code in readers:
        described.append(repr(frame.f_locals["obj"]))

META = RowMeta("0" * 12, "test", 0)

def stage(scope):
    return MarketStage(Params(), META) if scope == MARKET else AssetStage(scope, Params(), META)

def asset_state(frame):
    taken = stage(frame.asset)
    for row in taken.step(frame, first=True):
        contracts.encode(row)
    return frame.asset, taken.snapshot()

def market_state(inputs):
    taken = stage(MARKET)
    for text in inputs:
        for row in taken.step(contracts.decode_market_input(text)):
            contracts.encode(row)
    return MARKET, taken.snapshot()

sys.setprofile(look)
frames = [contracts.decode_frame(text) for text in schemas.examples("frame")]
inputs = schemas.examples("tick") + schemas.examples("contribution")
kept = dict([*map(asset_state, frames), market_state(inputs)])
path = streams.edges.warm.Path(sys.argv[1])
streams.edges.warm.write_warm(path, Params().hash(), kept)
read = streams.edges.warm.read_warm(path, Params().hash())
reaches(read)
for scope, snapshot in read.items():
    stage(scope).restore(snapshot.hot, snapshot.pages)
    stage(scope).warm(snapshot.hot, snapshot.pages)
sys.setprofile(None)
assert described == [], described
assert len(kept) > 1

class Late(msgspec.Struct):
    number: int

sys.setprofile(look)
msgspec.json.decode(b'{"number": 1}', type=Late)
sys.setprofile(None)
assert len(described) == 1, "what is looked for is never seen"
"""


@pytest.mark.parametrize("attempt", range(3))
def test_threads_may_restore_their_first_stages_at_once(attempt: int) -> None:
    ended = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", BEGINNING],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_no_struct_is_described_while_stages_run(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", DESCRIPTIONS, str(tmp_path / "warm")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_no_decoder_is_made_when_the_first_record_comes() -> None:
    assert len(SHARED) > 100
    assert [
        f"{path.relative_to(ROOT)}:{line}"
        for path in SHARED
        for name, line in late(path.read_text())
        if name not in LOCKED
    ] == []


def test_a_late_decoder_is_found() -> None:
    code = """
import msgspec
_decode = msgspec.json.Decoder(int).decode
def first(data):
    decode = msgspec.msgpack.decode
    return decode(data, type=int), decode(data), msgspec.convert(data, int)
class Second:
    decoder = msgspec.json.Decoder(int)
    def __init__(self):
        self.decoder = msgspec.msgpack.Decoder(int)
"""
    assert list(late(code)) == [("first", 6), ("first", 6), ("__init__", 10)]


def late(code: str) -> Iterator[tuple[str, int]]:
    """Functions, and their lines, that make a type's description when they are called."""
    for function in ast.walk(ast.parse(code)):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and describes(node):
                    yield getattr(function, "name", "lambda"), node.lineno


def describes(call: ast.Call) -> bool:
    """Whether a call is `decode(..., type=)`, `convert(...)` or `Decoder(...)`."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    typed = any(keyword.arg == "type" for keyword in call.keywords)
    return name in ("convert", "Decoder") or (name == "decode" and typed)
