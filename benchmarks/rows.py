"""Speed on Python rows: hand-written loops, minispark on processes and on Ray, PySpark.

Every workload runs on all engines in turn, three rounds, in this one run; the table shows median
seconds and their ratios beside the targets of issue 2. All engines use two processes.

    python -m benchmarks.rows
    python -m benchmarks.rows --engines hand,local --only word_count,join --scale 0.2
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import sys
import tempfile
from dataclasses import asdict, dataclass

from benchmarks.measure import Engine, Line, interleave, show_progress, time_programs
from benchmarks.workloads import WORKLOADS

ENGINES = ("hand", "local", "ray", "pyspark")
PROGRAM = "first_result"
NOTE_LINES = 12  # of what an engine said about a failure


def ratio(line: Line, slow: str, fast: str) -> float | None:
    """How many times longer `slow` takes than `fast`, where both were measured."""
    above, below = line.median(slow), line.median(fast)
    return None if above is None or below is None else above / below


@dataclass(frozen=True)
class Target:
    """One promise: what it says, the figure found, and whether it is kept. None: not measured."""

    says: str
    found: str
    met: bool | None


def worst(
    says: str, lines: list[Line], slow: str, fast: str, limit: float, *, at_most: bool
) -> Target:
    """The worst ratio over `lines` held against a limit."""
    ratios = {line.name: r for line in lines if (r := ratio(line, slow, fast)) is not None}
    if not ratios:
        return Target(says, "not measured", None)
    name = max(ratios, key=ratios.__getitem__) if at_most else min(ratios, key=ratios.__getitem__)
    kept = sum(r <= limit if at_most else r >= limit for r in ratios.values())
    found = f"{kept} of {len(ratios)}, worst {ratios[name]:.2f} ({name})"
    return Target(says, found, kept == len(ratios))


def targets(lines: list[Line]) -> list[Target]:
    """The speed section of issue 2, line by line."""
    general = [line for line in lines if not line.own_target]
    small = [line for line in lines if line.name == "small_jobs"]
    found = [
        worst("local ≤ 1.3 × the hand-written loop", general, "local", "hand", 1.3, at_most=True),
        worst("local ≥ 2 × PySpark", general, "pyspark", "local", 2, at_most=False),
    ]
    ratios = [r for line in general if (r := ratio(line, "pyspark", "local")) is not None]
    mean = statistics.geometric_mean(ratios) if ratios else None
    says = "local ≥ 3 × PySpark in the geometric mean"
    found.append(
        Target(says, f"{mean:.2f}" if mean else "not measured", mean >= 3 if mean else None)
    )
    found.append(
        worst("local: small jobs ≥ 40 × PySpark", small, "pyspark", "local", 40, at_most=False)
    )
    found.append(ceiling("local: ≤ 8 ms for a small job", small, 0.008 * 20, per=20))
    programs = [line for line in lines if line.name == PROGRAM]
    found.append(ceiling("local: import to first result ≤ 1.5 s", programs, 1.5))
    found.append(worst("ray ≥ 1.5 × PySpark", general, "pyspark", "ray", 1.5, at_most=False))
    found.append(
        worst("ray: small jobs ≥ 10 × PySpark", small, "pyspark", "ray", 10, at_most=False)
    )
    return found


def ceiling(says: str, lines: list[Line], limit: float, per: int = 1) -> Target:
    """The local median of one line held against seconds."""
    median = lines[0].median("local") if lines else None
    if median is None:
        return Target(says, "not measured", None)
    return Target(says, f"{median / per * 1000:.1f} ms", median <= limit)


def table(lines: list[Line], engines: list[str]) -> None:
    """Median seconds by engine, then the ratios."""
    pairs = [("local", "hand"), ("pyspark", "local"), ("pyspark", "ray")]
    pairs = [pair for pair in pairs if set(pair) <= set(engines)]
    heads = [*engines, *("/".join(pair) for pair in pairs)]
    print(f"{'median seconds':20}" + "".join(f"{head:>15}" for head in heads))
    for line in lines:
        medians = [line.median(engine) for engine in engines]
        cells = ["-" if median is None else f"{median:.3f}" for median in medians]
        ratios = [ratio(line, *pair) for pair in pairs]
        cells += ["-" if r is None else f"{r:.2f}" for r in ratios]
        print(f"{line.name:20}" + "".join(f"{cell:>15}" for cell in cells))
    means = []
    for pair in pairs:
        known = [
            r for line in lines if not line.own_target and (r := ratio(line, *pair)) is not None
        ]
        means.append(f"{statistics.geometric_mean(known):.2f}" if known else "-")
    print(f"{'geometric mean *':20}" + " " * 15 * len(engines) + "".join(f"{m:>15}" for m in means))
    print("* without small_jobs and first_result, which have targets of their own")


def report(lines: list[Line], engines: list[str]) -> None:
    table(lines, engines)
    print()
    for target in targets(lines):
        mark = {None: "  -   ", True: "met   ", False: "MISSED"}[target.met]
        print(f"{mark}  {target.says:45} {target.found}")
    for line in lines:
        for note in dict.fromkeys(line.notes):
            print(f"\n{line.name}: " + "\n    ".join(note.rstrip().splitlines()[-NOTE_LINES:]))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--engines", default=",".join(ENGINES), help="%(default)s")
    parser.add_argument("--only", help="names of workloads, with commas between them")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full sizes")
    parser.add_argument("--json", metavar="FILE", help="write every round's seconds")
    parser.add_argument(
        "--pyspark-python", default=sys.executable, help="a Python that has PySpark, if not this"
    )
    options = parser.parse_args()
    names = [name for name in ENGINES if name in options.engines.split(",")]
    if options.pyspark_python == sys.executable and not importlib.util.find_spec("pyspark"):
        names = [name for name in names if name != "pyspark"]
        print("pyspark is not installed here (extra `bench`), so it is left out", file=sys.stderr)
    chosen = options.only.split(",") if options.only else [*WORKLOADS, PROGRAM]
    unknown = [name for name in chosen if name not in WORKLOADS and name != PROGRAM]
    if unknown:
        parser.error(
            f"no workload {', '.join(unknown)}; there are {', '.join(WORKLOADS)}, {PROGRAM}"
        )

    pythons = {"pyspark": options.pyspark_python}
    lines = []
    with tempfile.TemporaryDirectory(prefix="benchmarks.") as folder:
        engines = [Engine(name, pythons.get(name, sys.executable), folder) for name in names]
        if PROGRAM in chosen:  # before any session is up; Ray's start is not held against a target
            programs = [engine for engine in engines if engine.name != "ray"]
            lines.append(time_programs(programs, options.rounds, show_progress))
        try:
            for name in chosen:
                if name != PROGRAM:
                    data = WORKLOADS[name].sizes(options.scale, folder)
                    lines.append(
                        interleave(WORKLOADS[name], data, engines, options.rounds, show_progress)
                    )
        finally:
            for engine in engines:
                engine.stop()
    show_progress("")
    report(lines, names)
    if options.json:
        with open(options.json, "w") as file:
            json.dump([asdict(line) for line in lines], file, indent=1)


if __name__ == "__main__":
    main()
