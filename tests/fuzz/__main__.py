"""`python -m tests.fuzz`: mutated messages against the laws of `tests.fuzz.laws`, by venue.

Each venue is fuzzed by atheris (libFuzzer, guided by the coverage of its parser) in a process of
its own, three mutations of four by structure and the rest by bytes. A message that breaks a law is
written to the folder of findings, and the command exits 1.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final

import atheris

with atheris.instrument_imports(include=["streams.venues", "streams.core.normalise"]):
    from streams.venues import PARSERS
from tests.fuzz.laws import judge
from tests.fuzz.mutations import spoilt
from tests.fuzz.seeds import seeds

BROKEN: Final = 77
LARGEST: Final = 16_384
ROWS_EVERY: Final = 4
"""How often law 2 is asked: it parses a message once a row again."""


class Run:
    """One venue's messages so far; ends the process when either budget is spent."""

    def __init__(self, venue: str, messages: int, seconds: float, findings: Path) -> None:
        self.venue, self.messages, self.findings = venue, messages, findings
        self.until = time.monotonic() + seconds
        self.began_cpu = time.process_time()
        self.given = {*seeds()[venue]}
        self.count = self.with_events = self.events = 0
        self.slowest_s = 0.0

    def one(self, payload: bytes) -> None:
        """Judge one message."""
        if payload in self.given:
            judge(self.venue, payload, None, rows_too=True)
        else:
            self.count += 1
            channel = "trade" if self.count % 8 == 1 else None
            try:
                spent, events = judge(
                    self.venue, payload, channel, rows_too=self.count % ROWS_EVERY == 0
                )
            except BaseException:
                self._report(payload)
            self.slowest_s = max(self.slowest_s, spent)
            self.with_events += events > 0
            self.events += events
        if self.count >= self.messages or time.monotonic() > self.until:
            self._end(0)

    def _report(self, payload: bytes) -> None:
        self.findings.mkdir(parents=True, exist_ok=True)
        path = self.findings / f"{self.venue}-{self.count}.bin"
        path.write_bytes(payload)
        print(f"{traceback.format_exc()}\n{payload[:2000]!r}\nwritten to {path}", file=sys.stderr)
        self._end(BROKEN)

    def _end(self, code: int) -> None:
        figures = {
            "venue": self.venue,
            "messages": self.count,
            "with_events": self.with_events,
            "events": self.events,
            "slowest_ms": round(self.slowest_s * 1000, 3),
            "cpu_s": round(time.process_time() - self.began_cpu, 1),
        }
        print(json.dumps(figures), flush=True)
        sys.stderr.flush()
        os._exit(code)  # libFuzzer would print its own summary and drop ours.


def mutate(data: bytes, most: int, seed: int) -> bytes:
    """A mutated message: by structure three times of four, else by bytes."""
    if seed % 4:
        found = spoilt(data, seed)
        if found is not None and len(found) <= most:
            return found
    mutated: bytes = atheris.Mutate(data, most)
    return mutated


def fuzz(venue: str, messages: int, seconds: float, seed: int, findings: Path) -> None:
    """Fuzz one venue until a budget is spent; does not return."""
    with tempfile.TemporaryDirectory(prefix="marginquake-fuzz-") as folder:
        for number, payload in enumerate(seeds()[venue]):
            (Path(folder) / f"{number:04d}").write_bytes(payload)
        run = Run(venue, messages, seconds, findings)
        options = [f"-seed={seed}", f"-max_len={LARGEST}", "-len_control=0", "-verbosity=0"]
        # One mutation a message: of five in a row hardly one leaves an event to be judged.
        options.append("-mutate_depth=1")
        one: Callable[[bytes], None] = run.one
        atheris.Setup([sys.argv[0], *options, folder], one, custom_mutator=mutate)
        atheris.Fuzz()


def all_venues(options: argparse.Namespace) -> int:
    """Fuzz the venues one after the other; 1 when a law was broken."""
    venues = options.venue or sorted(PARSERS)
    found: list[dict[str, Any]] = []
    broken = 0
    for number, venue in enumerate(venues):
        command = [sys.executable, "-m", "tests.fuzz", "--one", "--venue", venue]
        command += ["--messages", str(-(-options.messages // len(venues)))]
        command += ["--seconds", str(options.seconds / len(venues))]
        command += ["--seed", str(options.seed + number), "--findings", str(options.findings)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            broken += 1
            print(done.stderr[-6000:], file=sys.stderr)
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        found += map(json.loads, lines)
        for line in lines:
            print(line, flush=True)
    total = {key: sum(one[key] for one in found) for key in ("messages", "with_events", "events")}
    print(json.dumps({"venue": "all", **total, "venues_broken": broken}))
    return 1 if broken else 0


def main() -> int:
    """Entry point; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--venue", action="append", help="only this venue; may be given often")
    parser.add_argument("--messages", type=int, default=1_000_000, help="in all (default: 1e6)")
    parser.add_argument("--seconds", type=float, default=600.0, help="in all (default: 600)")
    parser.add_argument("--seed", type=int, default=Random().randrange(2**31))  # noqa: S311
    parser.add_argument("--findings", type=Path, default=Path(".local/fuzz"))
    parser.add_argument("--replay", type=Path, help="judge this file's message of one --venue")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    unknown = {*(options.venue or ())} - PARSERS.keys()
    if unknown:
        parser.error(f"no venue {', '.join(sorted(unknown))}; there are {', '.join(PARSERS)}")
    if options.replay or options.one:
        if len(options.venue or ()) != 1:
            parser.error("needs exactly one --venue")
        (venue,) = options.venue
        if options.one:
            fuzz(venue, options.messages, options.seconds, options.seed, options.findings)
        for channel in (None, "trade"):
            print(judge(venue, options.replay.read_bytes(), channel, rows_too=True))
        return 0
    return all_venues(options)


if __name__ == "__main__":
    sys.exit(main())
