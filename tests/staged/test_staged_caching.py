"""Kept plans: a query that contains one reads it, in one task and in stages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from contexts import make_context
from hand_made import call, engine_of, group, lit, named, people, rows_of, select, table, where

from minispark import chaos
from minispark.context import SparkContext
from minispark.sql.engine import QueryEngine
from planner.levels import StorageLevel
from planner.plan import Node, Persist, walk
from planner.query import logical as l
from planner.query.fingerprint import fingerprint

DATA = people(200)


def part(limit: int = 5) -> l.Plan:
    """The same every time, with columns of its own."""
    return where(l.renewed(DATA), call(">", "n", limit))


@pytest.fixture(scope="module", params=["inline[2]", "local[2]"])
def context(request: pytest.FixtureRequest) -> Iterator[SparkContext]:
    found = make_context(request.param, request)
    yield found
    found.stop()


@pytest.fixture(params=["always", "never"])
def engine(request: pytest.FixtureRequest, context: SparkContext) -> Iterator[QueryEngine]:
    found = engine_of(context, mode=request.param, partitions=3)
    yield found
    found.cached.clear()


def persisted(node: Node) -> bool:
    return any(isinstance(each, Persist) for each in walk(node))


def test_the_same_plan_is_found_under_other_names(engine: QueryEngine) -> None:
    expected = rows_of(engine.table(group(part(), ["k"], call("count", lit(1)))))
    assert engine.cache(part()) and not engine.cache(part())
    assert engine.level(part()) == StorageLevel.MEMORY_AND_DISK
    assert engine.level(part(6)) is None
    asked = group(select(part(), named("k", "other")), ["other"], call("count", lit(1)))
    assert persisted(engine.physical(asked))
    assert not persisted(engine.physical(group(part(6), ["k"], call("count", lit(1)))))
    for _ in range(2):
        assert rows_of(engine.table(asked)) == expected
    assert sum(engine._sc._session.kept_bytes().values()) > 0


def test_it_is_computed_once(engine: QueryEngine, context: SparkContext, tmp_path: object) -> None:
    """A kept scan is read from its file no more: the file may go."""
    import pyarrow.parquet as parquet

    path = f"{tmp_path}/numbers.parquet"
    parquet.write_table(DATA.data, path, row_group_size=50)
    footer = parquet.read_metadata(path)
    groups = tuple(
        (footer.row_group(at).num_rows, footer.row_group(at).total_byte_size)
        for at in range(footer.num_row_groups)
    )
    size = sum(each[1] for each in groups)
    scan = l.Scan("parquet", DATA.attrs, (l.FileSlice(path, 200, size, groups=groups),))
    expected = rows_of(engine.table(scan))
    engine.cache(scan)
    engine.table(scan)
    with open(path, "wb"):
        pass
    assert rows_of(engine.table(scan)) == expected
    engine.unpersist(scan, blocking=True)
    with pytest.raises(Exception, match="(?i)parquet|file"):
        engine.table(scan)


@pytest.mark.parametrize("level", ["MEMORY_ONLY", "DISK_ONLY", "OFF_HEAP", "MEMORY_ONLY_2"])
def test_every_level(level: str, engine: QueryEngine) -> None:
    expected = rows_of(engine.table(part()))
    engine.cache(part(), getattr(StorageLevel, level))
    for _ in range(3):
        assert rows_of(engine.table(part())) == expected
    assert engine.level(part()) == getattr(StorageLevel, level)


def test_what_is_dropped_is_computed_again(engine: QueryEngine) -> None:
    expected = rows_of(engine.table(part()))
    engine.cache(part())
    engine.table(part())
    with chaos.drop_cached(at="before write", times=2):
        assert rows_of(engine.table(part())) == expected
    assert rows_of(engine.table(part())) == expected


def test_unpersist_frees(engine: QueryEngine, context: SparkContext) -> None:
    engine.cache(part())
    engine.table(part())
    assert sum(context._session.kept_bytes().values()) > 0
    assert engine.unpersist(part(), blocking=True) and not engine.unpersist(part())
    assert sum(context._session.kept_bytes().values()) == 0
    assert not persisted(engine.physical(part()))


def test_kept_on_top_of_kept(engine: QueryEngine) -> None:
    asked = group(part(), ["k"], call("count", lit(1)))
    expected = rows_of(engine.table(asked))
    engine.cache(part())
    engine.cache(asked)
    assert rows_of(engine.table(asked)) == expected
    engine.unpersist(part(), blocking=True)
    assert rows_of(engine.table(asked)) == expected
    assert persisted(engine.physical(asked))


def test_another_session_of_the_context_sees_it(engine: QueryEngine, context: SparkContext) -> None:
    engine.cache(part())
    assert engine_of(context).level(part()) is not None


def test_fingerprints() -> None:
    first, second = table(a=[1, 2]), table(a=[1, 2])
    assert fingerprint(first) != fingerprint(second), "tables are the same if they are one"
    assert fingerprint(l.Known(part(), ("t",))) == fingerprint(part())
    assert fingerprint(select(part(), "n", "k")) != fingerprint(select(part(), "k", "n"))
    assert fingerprint(l.Limit(part(), 3)) != fingerprint(l.Limit(part(), 4))
    assert fingerprint(select(part(), named(call("+", "n", 1), "x"))) == fingerprint(
        select(part(), named(call("+", "n", 1), "y"))
    )
    assert fingerprint(group(part(), ["k"], call("sum", "n"))) != fingerprint(
        group(part(), ["k"], call("sum", "n", distinct=True))
    )
