"""Fixtures of the whole suite: one context at a time, and one Ray for the whole run."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
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


@pytest.fixture(scope="session")
def ray_here() -> Iterator[None]:
    """One Ray for the whole run: every `ray[2]` context of the suite uses it.

    By name: workers import this file with the tests, and most of them shall not import Ray.
    """
    cluster: Any = importlib.import_module("executors.ray_backend.cluster").RayCluster(2, None, {})
    yield
    cluster.close()


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


@pytest.fixture(scope="module", params=MASTERS)
def sc(request: pytest.FixtureRequest) -> Iterator[SparkContext]:
    """A context on each master in turn; tests of a module share it and must leave it usable."""
    context = make_context(request.param, request)
    yield context
    context.stop()


@pytest.fixture(scope="module")
def local_sc(request: pytest.FixtureRequest) -> Iterator[SparkContext]:
    """A context on worker processes."""
    context = make_context("local[2]", request)
    yield context
    context.stop()


@pytest.fixture
def recorder(request: pytest.FixtureRequest) -> Iterator[Recorder]:
    """Hears everything from here on, on the context the test uses."""
    name = "sc" if "sc" in request.fixturenames else "local_sc"
    session = request.getfixturevalue(name)._session
    listener = Recorder()
    session.add_listener(listener)
    yield listener
    session.remove_listener(listener)
