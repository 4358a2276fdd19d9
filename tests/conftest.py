"""Fixtures of the whole suite: one context at a time, and one Ray for the whole run."""

from __future__ import annotations

import gc
import importlib
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from contexts import MASTERS, Recorder, make_context

from minispark import SparkContext


def pytest_configure() -> None:
    """What may be told by the shell that starts the run, and must not be so for the tests."""
    # that no process keeps compiled modules: each worker would compile hundreds of them
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # that Ctrl-C is ignored, as in everything that runs in the background
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module", autouse=True)
def what_is_there_stays() -> None:
    """No collection of garbage in this module looks again at what others have made."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def ray_here() -> Iterator[None]:
    """One Ray for the whole run: every `ray[2]` context of the suite uses it.

    By name: workers import this file with the tests, and most of them shall not import Ray.
    """
    cluster: Any = importlib.import_module("executors.ray_backend.cluster").RayCluster(2, None, {})
    yield
    cluster.close()


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
