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


def test_no_decoder_is_made_when_the_first_record_comes() -> None:
    assert len(SHARED) > 100
    assert [
        f"{path.relative_to(ROOT)}:{line}" for path in SHARED for line in late(path.read_text())
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
    assert list(late(code)) == [6, 6, 10]


def late(code: str) -> Iterator[int]:
    """Lines that make a type's description inside of a function."""
    for function in ast.walk(ast.parse(code)):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and describes(node):
                    yield node.lineno


def describes(call: ast.Call) -> bool:
    """Whether a call is `decode(..., type=)`, `convert(...)` or `Decoder(...)`."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    typed = any(keyword.arg == "type" for keyword in call.keywords)
    return name in ("convert", "Decoder") or (name == "decode" and typed)
