"""The 22 TPC-H queries: minispark fused, in stages, and on Ray beside Polars, DuckDB and PySpark.

Every query runs on all engines in turn in this one run, each when the others are quiet (PySpark's
JVM computes on after its answer); the table shows median seconds, and the peak resident memory of
all processes of an engine, added up (from /proc, on Linux). The answers are compared with DuckDB's
by value. `polars` runs them with its own scales of decimals, and `exact` with scales that round no
product, as Spark's. The data comes from the `tpchgen-cli` package.

    python -m benchmarks.tpch
    python -m benchmarks.tpch --scale 0.1 --engines fused,polars,duckdb --only 1,6 --rounds 5
"""

from __future__ import annotations

import argparse
import datetime
import importlib.util
import math
import os
import statistics
import subprocess
import sys
import sysconfig
import tempfile
from decimal import Decimal
from typing import Any

from benchmarks.measure import ROOT, Engine, Failed, show_progress, until_quiet
from benchmarks.processes import peak

ENGINES = ("fused", "staged", "ray", "polars", "exact", "duckdb", "pyspark")
QUERIES = os.path.join(ROOT, "examples", "tpch_queries")
TARGETS = (  # engine, is at most, or at least, this many times, the total of
    ("fused", "at most", 1.3, "polars"),
    ("fused", "at most", 1.15, "exact"),
    ("staged", "at most", 3.0, "polars"),
    ("ray", "at most", 3.5, "polars"),
    ("pyspark", "at least", 20.0, "fused"),
)


def query_text(number: int) -> str:
    """The text of a query."""
    with open(os.path.join(QUERIES, f"q{number:02}.sql")) as file:
        return file.read()


def make_data(scale: float, folder: str) -> str:
    """The folder with the tables of a scale; made if it is not there."""
    path = os.path.join(folder, f"tpch-{scale:g}")
    if not os.path.isdir(path):
        program = os.path.join(sysconfig.get_path("scripts"), "tpchgen-cli")
        made = f"{path}.part"
        subprocess.run(
            [program, "parquet", "-s", f"{scale:g}", f"--output-dir={made}"],
            check=True,
            capture_output=True,
        )
        os.rename(made, path)
    return path


def plain(value: Any) -> Any:
    """A value in a form that engines share."""
    if isinstance(value, datetime.datetime):
        return value.date()
    return value.strip() if isinstance(value, str) else value


def same_value(a: Any, b: Any) -> bool:
    """Decimals exactly; binary fractions, and decimals beside them, to one part in 10⁹."""
    a, b = plain(a), plain(b)
    if isinstance(a, float) or isinstance(b, float):
        return a is b or (
            a is not None
            and b is not None
            and math.isclose(float(a), float(b), rel_tol=1e-9, abs_tol=1e-6)
        )
    if isinstance(a, int | Decimal) and isinstance(b, int | Decimal):
        return a == b
    return bool(a == b)


def same_rows(one: list[tuple[Any, ...]], other: list[tuple[Any, ...]]) -> bool:
    """Whether two answers have the same rows, in any order among equal ones."""
    if len(one) != len(other):
        return False
    for a, b in zip(sorted(one, key=_shape), sorted(other, key=_shape), strict=True):
        if not all(same_value(x, y) for x, y in zip(a, b, strict=True)):
            return False
    return True


def _shape(row: tuple[Any, ...]) -> list[str]:
    def text(value: Any) -> str:
        value = plain(value)
        return f"{float(value):.6g}" if isinstance(value, float | Decimal) else str(value)

    return [text(value) for value in row]


def measure(
    engines: list[Engine], numbers: list[int], rounds: int, folder: str
) -> tuple[dict[int, dict[str, float]], list[str]]:
    """Median seconds by query and engine, and remarks."""
    found: dict[int, dict[str, float]] = {}
    notes: list[str] = []
    for engine in engines:
        engine.ask("open", folder)
    for number in numbers:
        text = query_text(number)
        seconds: dict[str, list[float]] = {}
        answers: dict[str, Any] = {}
        for _ in range(rounds):
            for engine in engines:
                if engine.name in answers and answers[engine.name] is None:
                    continue
                show_progress(f"query {number}: {engine.name}")
                until_quiet(engines)
                try:
                    took, answers[engine.name] = engine.ask("run", text)
                except Failed as failure:
                    notes.append(f"q{number:02} {engine.name}: {str(failure).strip()[-300:]}")
                    answers[engine.name] = None
                    continue
                seconds.setdefault(engine.name, []).append(took)
        found[number] = {name: statistics.median(each) for name, each in seconds.items()}
        right = answers.get("duckdb")
        for name, rows in answers.items():
            known = name not in ("polars", "exact") and right is not None and rows is not None
            if known and not same_rows(rows, right):
                notes.append(f"q{number:02} {name}: the answer differs from DuckDB's")
    return found, notes


def report(found: dict[int, dict[str, float]], names: list[str], peaks: dict[str, int]) -> None:
    """The table, and what is promised; `peaks` are bytes."""
    print(f"{'seconds':8}" + "".join(f"{name:>10}" for name in names))
    for number, medians in found.items():
        cells = [f"{medians[name]:.3f}" if name in medians else "-" for name in names]
        print(f"q{number:02}     " + "".join(f"{cell:>10}" for cell in cells))
    totals = {name: sum(each.get(name, 0.0) for each in found.values()) for name in names}
    print(f"{'total':8}" + "".join(f"{totals[name]:>10.3f}" for name in names))
    print(f"{'peak MB':8}" + "".join(f"{peaks[name] / 1e6:>10,.0f}" for name in names))
    print()
    for slow, how, limit, fast in TARGETS:
        both = [each for each in found.values() if slow in each and fast in each]
        if not both:
            continue
        ratio = sum(each[slow] for each in both) / sum(each[fast] for each in both)
        met = ratio <= limit if how == "at most" else ratio >= limit
        says = f"{slow} {how} {limit:g} × {fast}"
        print(f"{'met   ' if met else 'MISSED'}  {says:32} {ratio:.2f} over {len(both)} queries")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--engines", default=",".join(ENGINES), help="%(default)s")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--only", help="numbers of queries, with commas between them")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", default=tempfile.gettempdir(), help="where the tables are made")
    parser.add_argument("--pyspark-python", default=sys.executable)
    options = parser.parse_args()
    names = [name for name in ENGINES if name in options.engines.split(",")]
    if options.pyspark_python == sys.executable and not importlib.util.find_spec("pyspark"):
        names = [name for name in names if name != "pyspark"]
        print("pyspark is not installed here (extra `bench`), so it is left out", file=sys.stderr)
    numbers = [int(each) for each in options.only.split(",")] if options.only else range(1, 23)
    folder = make_data(options.scale, options.data)
    with tempfile.TemporaryDirectory(prefix="benchmarks.") as logs:
        pythons = {"pyspark": options.pyspark_python}
        engines = [
            Engine(name, pythons.get(name, sys.executable), logs, "benchmarks.sql_engines")
            for name in names
        ]
        try:
            found, notes = measure(engines, list(numbers), options.rounds, folder)
            peaks = {each.name: peak(each.process.pid) for each in engines if each.process}
        finally:
            for engine in engines:
                engine.stop()
    show_progress("")
    report(found, names, peaks)
    for note in notes:
        print(note)


if __name__ == "__main__":
    main()
