"""Record the answers that examples/tpch.py checks: minispark's, where DuckDB's are the same.

python -m benchmarks.tpch_answers 0.01 0.1 1
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import tempfile
from typing import Any

from benchmarks.measure import ROOT
from benchmarks.sql_engines import DuckDb, Spark
from benchmarks.tpch import make_data, query_text, same_rows

ANSWERS = os.path.join(ROOT, "examples", "tpch_answers.json")


def example() -> Any:
    """The module of the example."""
    spec = importlib.util.spec_from_file_location("tpch", os.path.join(ROOT, "examples", "tpch.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> None:
    summary = example().summary
    ours, theirs = Spark("fused"), DuckDb("duckdb")
    found: dict[str, dict[str, Any]] = {}
    for scale in map(float, sys.argv[1:]):
        folder = make_data(scale, tempfile.gettempdir())
        ours.open(folder)
        theirs.open(folder)
        for number in range(1, 23):
            text = query_text(number)
            rows = ours.run(text)
            if not same_rows(rows, theirs.run(text)):
                sys.exit(f"query {number} at scale {scale:g}: the answer is not DuckDB's")
            found.setdefault(f"{scale:g}", {})[str(number)] = summary(rows)
    ours.stop()
    with open(ANSWERS, "w") as file:
        json.dump(found, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
