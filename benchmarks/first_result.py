"""A whole program: import, session, one small job, its result. Timed from outside by `rows.py`.

python -m benchmarks.first_result local|ray|pyspark|hand
"""

from __future__ import annotations

import importlib
import sys
from typing import Any


def square(x: int) -> int:
    return x * x


def with_context(package: str, master: str) -> Any:
    root = importlib.import_module(package)
    sc = root.SparkContext(master, "first result")
    result = sc.parallelize(range(1000), 2).map(square).sum()
    sc.stop()
    return result


def squares(connection: Any, numbers: range) -> None:
    connection.send(sum(square(x) for x in numbers))


def by_hand() -> int:
    multiprocessing: Any = importlib.import_module("multiprocessing")
    context = multiprocessing.get_context("fork")
    pipes = []
    for half in (range(500), range(500, 1000)):
        mine, theirs = context.Pipe()
        context.Process(target=squares, args=(theirs, half)).start()
        pipes.append(mine)
    return sum(pipe.recv() for pipe in pipes)


if __name__ == "__main__":
    match sys.argv[1]:
        case "hand":
            print(by_hand())
        case "pyspark":
            print(with_context("pyspark", "local[2]"))
        case engine:
            print(with_context("minispark", f"{engine}[2]"))
