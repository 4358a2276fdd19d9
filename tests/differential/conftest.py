"""One session and one DuckDB for all drawn queries, with the same tables."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
from contexts import make_context
from drawn_answers import Both
from drawn_tables import registered

from minispark.sql import SparkSession
from planner.query.optimiser import reuse


@pytest.fixture(autouse=True)
def small_tables_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done for large tables only is done for these."""
    monkeypatch.setattr(reuse, "_LARGE", 1)


@pytest.fixture(scope="module")
def both(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Both]:
    context = make_context("inline[1]", request)
    spark = SparkSession.builder.getOrCreate()
    duck = duckdb.connect()
    duck.execute("SET threads = 1")
    registered(spark, str(tmp_path_factory.mktemp("drawn")), duck)
    yield Both(spark, duck)
    duck.close()
    context.stop()
