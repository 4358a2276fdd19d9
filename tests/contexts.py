"""Contexts for tests, and who listens to them."""

from __future__ import annotations

from typing import Any

import pytest

from minispark import SparkConf, SparkContext
from planner import events as ev

MASTERS = ["inline[2]", "local[2]", "ray[2]"]


class Recorder:
    """A listener that keeps all notices."""

    def __init__(self) -> None:
        self.notices: list[ev.Notice] = []

    def on_event(self, notice: ev.Notice) -> None:
        self.notices.append(notice)

    def of(self, kind: type) -> list[Any]:
        return [notice for notice in self.notices if isinstance(notice, kind)]

    def starts(self) -> list[tuple[int, int]]:
        """(stage, partition) of every task start."""
        return [(n.task.stage, n.task.partition) for n in self.of(ev.TaskStarted)]

    def ran_again(self) -> set[tuple[int, int]]:
        """(stage, partition) that started more than once."""
        starts = self.starts()
        return {at for at in starts if starts.count(at) > 1}

    def clear(self) -> None:
        self.notices.clear()


def make_context(master: str, request: pytest.FixtureRequest, **settings: str) -> SparkContext:
    """A context; on Ray, on the suite's own Ray."""
    if master.startswith("ray"):
        request.getfixturevalue("ray_here")
    conf = SparkConf().setMaster(master).setAppName("tests")
    for key, value in settings.items():
        conf.set(key, value)
    if SparkContext._active_spark_context is not None:
        SparkContext._active_spark_context.stop()
    return SparkContext(conf=conf)
