"""Idle workers import what queries are going to need; work that waits goes first."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from multiprocessing.connection import Connection

import pytest

from executors.worker import Worker
from minispark import SparkContext
from minispark.sql import SparkSession

MODULE = "wsgiref.simple_server"


@pytest.fixture
def driver() -> Iterator[tuple[Connection, Worker]]:
    ours, theirs = socket.socketpair()
    control, control_in = os.pipe()
    worker = Worker(Connection(theirs.detach()), control)
    driver = Connection(ours.detach())
    sys.modules.pop(MODULE, None)
    yield driver, worker
    driver.close()
    worker.connection.close()
    os.close(control)
    os.close(control_in)


def test_an_idle_worker_imports(driver: tuple[Connection, Worker]) -> None:
    driver[1].needed.append(MODULE)
    driver[1].get_ready()
    assert MODULE in sys.modules


def test_a_request_goes_first(driver: tuple[Connection, Worker]) -> None:
    driver[0].send("something")
    driver[1].needed.append(MODULE)
    driver[1].get_ready()
    assert MODULE not in sys.modules


def test_a_session_asks_for_the_engine_of_columns() -> None:
    if SparkContext._active_spark_context is not None:
        SparkContext._active_spark_context.stop()
    with SparkSession.builder.master("local[1]").getOrCreate() as spark:

        def there(_: object) -> bool:
            return "executors.relational.fragments" in sys.modules

        rdd = spark.sparkContext.parallelize([0], 1)
        tries = (rdd.map(there).first() for _ in range(10_000))
        assert any(tries), "it imports between two tasks at the latest, if it is ever idle"
