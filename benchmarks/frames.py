"""Speed on frames: groups, windows, cached tables and Python functions, as ratios in one run.

Every case runs on its engines in turn; the table shows median seconds beside what is asked.
minispark runs on `local[2]`; each engine is a process of its own.

    python -m benchmarks.frames
    python -m benchmarks.frames --rows 100000 --megabytes 64 --rounds 3 --only window,scan
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from dataclasses import dataclass, field
from typing import Any

from benchmarks.frame_cases import CASES, DOMINATED, TABLES, make_data
from benchmarks.measure import Engine, Failed, show_progress, until_quiet
from benchmarks.workloads import same

OURS = "minispark"
BEHIND = 0.010  # seconds that a group-by may take more than Polars'
NOISE = 0.005  # seconds by which times of the same scan differ
FLAT = 64  # MB that a driver may grow by
WARM = 1  # rounds that do not count: what is loaded once, what is cached


@dataclass
class Line:
    """One case: the seconds of each engine's rounds, what it gave, remarks."""

    name: str
    seconds: dict[str, list[float]] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def median(self, engine: str) -> float:
        return statistics.median(self.seconds.get(engine) or [float("nan")])

    @property
    def other(self) -> str | None:
        """What minispark stands beside."""
        return next((name for name in CASES[self.name] if name != OURS), None)


def measure(line: Line, engines: dict[str, Engine], rounds: int) -> None:
    """Run a case on its engines in turn."""
    running = list(CASES[line.name])
    for number in range(WARM + rounds):
        for name in list(running):
            show_progress(f"{line.name}: {name}, round {number}")
            until_quiet(engines.values())
            try:
                took, answer = engines[name.split(",")[0]].ask(line.name, name)
            except Failed as failure:
                line.notes.append(f"{line.name}: {name} failed: {str(failure).strip()[-500:]}")
                running.remove(name)
                continue
            line.answers[name] = answer
            if number >= WARM:
                line.seconds.setdefault(name, []).append(took)
    found = list(line.answers.values())
    if len(found) == 2 and not same(found[0], found[1]):
        line.notes.append(f"{line.name}: the answers differ: {line.answers}")


def verdict(line: Line) -> tuple[str, bool | None]:
    """What is asked of a case and found, and whether it is met; None where nothing is asked."""
    ours = line.median(OURS)
    kind, _, name = line.name.partition(" ")
    if line.other is None:
        found = line.answers.get(OURS)
        if found is None:
            return "not measured", None
        growth = found["peak"] - found["before"]
        speed = found["rows"] / found["seconds"] / 1e6
        says = f"driver {found['before']:.0f} MB, peak {growth:+.0f} MB (asked: flat)"
        return f"{says}, {speed:.2f} M rows/s", growth <= FLAT
    other = line.median(line.other)
    if kind == "window":
        return f"{ours / other:.2f} × Polars (asked ≤ 3)", ours <= 3 * other
    if kind == "scan":
        wanted = 3.0 if name in DOMINATED else 1.0
        met = other >= wanted * ours if wanted > 1 else ours <= other + NOISE
        return f"{other / ours:.2f} × as fast as Parquet (asked ≥ {wanted:g})", met
    if "groups" in line.name:
        says = f"Polars {(ours - other) * 1000:+.1f} ms (asked ≤ +{BEHIND * 1000:.0f})"
        return says, ours <= other + BEHIND
    return f"{other / ours:.2f} × the rows/s of one pandas process", None


def report(lines: list[Line]) -> None:
    """The table with what is asked, then remarks."""
    print(f"{'median seconds':24}{'minispark':>11}{'beside it':>11}")
    for line in lines:
        says, met = verdict(line)
        mark = {None: "  -   ", True: "met   ", False: "MISSED"}[met]
        other = f"{line.median(line.other):.4f}" if line.other else "-"
        print(f"{line.name:24}{line.median(OURS):>11.4f}{other:>11}  {mark}  {says}")
    for line in lines:
        for note in dict.fromkeys(line.notes):
            print(note)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="of groups and windows")
    parser.add_argument("--megabytes", type=int, default=1024, help="of the cached table in memory")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", help="beginnings of names of cases, with commas between them")
    parser.add_argument("--data", default=tempfile.gettempdir(), help="where the tables are made")
    options = parser.parse_args()
    wanted = tuple(options.only.split(",")) if options.only else ("",)
    lines = [Line(name) for name in CASES if name.startswith(wanted)]
    if not lines:
        parser.error(f"no case begins so; there are {', '.join(CASES)}")
    with tempfile.TemporaryDirectory(prefix="benchmarks.", dir=options.data) as folder:
        make_data(folder, options.rows, options.megabytes)
        engines = {
            name: Engine(name, sys.executable, folder, "benchmarks.frame_cases") for name in TABLES
        }
        needed = {name.split(",")[0] for line in lines for name in CASES[line.name]}
        try:
            for name in needed:
                engines[name].ask("open", folder)
            for line in lines:
                measure(line, engines, options.rounds)
        finally:
            for engine in engines.values():
                engine.stop()
    show_progress("")
    report(lines)


if __name__ == "__main__":
    main()
