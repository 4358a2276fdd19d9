"""One engine in a driver process of its own, commanded through a pipe.

`python -m benchmarks.engines NAME FD` opens the engine and answers requests until it is told to
stop. Between requests it waits in a read, so that only one engine at a time is at work.
"""

from __future__ import annotations

import gc
import importlib
import sys
import time
import traceback
from multiprocessing.connection import Connection
from typing import Any

from benchmarks import handloop
from benchmarks.workloads import WORKLOADS, Data, Workload

MASTERS = {"local": "local[2]", "ray": "ray[2]", "pyspark": "local[2]"}


class Hand:
    """The hand-written loops."""

    def __init__(self) -> None:
        self.two = handloop.TwoProcesses()

    def setup(self, workload: Workload, data: Data) -> Any:
        prepare = handloop.SETUPS.get(workload.name)
        return prepare(self.two, data) if prepare else None

    def run(self, workload: Workload, data: Data) -> Any:
        return handloop.HAND[workload.name](self.two, data)

    def clean(self) -> None:
        self.two.call(handloop.collect_garbage)

    def forget(self, ready: Any) -> None:
        """Kept data is replaced by the next workload's."""

    def stop(self) -> None:
        self.two.stop()


class Spark:
    """minispark or PySpark: whichever package has the SparkContext."""

    def __init__(self, name: str) -> None:
        root = importlib.import_module("pyspark" if name == "pyspark" else "minispark")
        conf = root.SparkConf().setMaster(MASTERS[name]).setAppName("benchmarks")
        if name == "pyspark":  # what a careful user gives it on a machine with memory to spare
            conf.setAll(
                [
                    ("spark.ui.enabled", "false"),
                    ("spark.ui.showConsoleProgress", "false"),
                    ("spark.driver.memory", "4g"),
                    ("spark.python.worker.memory", "2g"),
                ]
            )
        self.sc = root.SparkContext(conf=conf)
        self.sc.setLogLevel("ERROR")

    def setup(self, workload: Workload, data: Data) -> Any:
        return workload.setup(self.sc, data) if workload.setup else None

    def run(self, workload: Workload, data: Data) -> Any:
        return workload.run(self.sc, data)

    def clean(self) -> None:
        gc.collect()

    def forget(self, ready: Any) -> None:
        if ready is not None:
            ready.unpersist()

    def stop(self) -> None:
        self.sc.stop()


def opened(name: str) -> Hand | Spark:
    return Hand() if name == "hand" else Spark(name)


def answer(engine: Hand | Spark, kept: dict[str, Any], request: Any) -> Any:
    """Do one request: ("setup", workload, data), ("run", workload, data), ("forget", workload)."""
    verb, name, *rest = request
    workload = WORKLOADS[name]
    if verb == "setup":
        kept[name] = engine.setup(workload, rest[0])
        return None
    if verb == "forget":
        engine.forget(kept.pop(name, None))
        return None
    data = dict(rest[0], ready=kept.get(name))
    engine.clean()
    begin = time.perf_counter()
    raw = engine.run(workload, data)
    seconds = time.perf_counter() - begin
    return seconds, workload.value(raw)


def serve(name: str, connection: Connection) -> None:
    """Open the engine, say so, answer until None comes."""
    engine = opened(name)
    connection.send(("ok", None))
    kept: dict[str, Any] = {}
    while (request := connection.recv()) is not None:
        try:
            connection.send(("ok", answer(engine, kept, request)))
        except Exception:  # becomes text in the table's notes; the engine goes on
            connection.send(("failed", traceback.format_exc()))
    engine.stop()


if __name__ == "__main__":
    serve(sys.argv[1], Connection(int(sys.argv[2])))
