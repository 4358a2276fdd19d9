"""The 22 TPC-H queries in stages: the answers of DuckDB, whatever the partitions."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pyarrow.parquet as parquet
import pytest
from contexts import Recorder, make_context
from hand_made import engine_of

from executors.formats.parquet import described
from minispark.context import SparkContext
from planner import events as ev
from planner.columns.columnar import schema_from_arrow
from planner.columns.expressions import Attr
from planner.partitioning import HashColumns
from planner.plan import Exchange, walk
from planner.query import logical as l

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "sql_queries"))
from tpch_tables import TABLES, Tables, Tpch, compare, made, query_text  # noqa: E402

NUMBERS = range(1, 23)
ONE_ROW = {6, 14, 17, 19}


@pytest.fixture(scope="session")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Tpch:
    """The tables in files of 8 row groups, so that scans have several tasks."""
    whole = Tpch(made(str(tmp_path_factory.mktemp("whole"))))
    folder = str(tmp_path_factory.mktemp("cut"))
    for name in TABLES:
        data = parquet.read_table(whole.path(name))
        size = max(1, -(-data.num_rows // 8))
        parquet.write_table(data, os.path.join(folder, f"{name}.parquet"), row_group_size=size)
    return Tpch(folder)


def tables(cut: Tpch) -> Tables:
    """Each use of a table is a scan of its own, as in a session."""

    class Fresh(Tables):
        def relation(self, parts: tuple[str, ...]) -> l.Plan:
            schema, slices = described([cut.path(parts[-1].lower())])[:2]
            fields = schema_from_arrow(schema).fields
            attrs = tuple(Attr(f.name, f.dataType, f.nullable) for f in fields)
            return l.Scan("parquet", attrs, tuple(slices))

    return Fresh({})


@pytest.fixture(scope="module")
def inline(request: pytest.FixtureRequest) -> Iterator[SparkContext]:
    found = make_context("inline[2]", request)
    yield found
    found.stop()


@pytest.mark.parametrize("number", NUMBERS)
def test_in_stages(number: int, cut: Tpch, inline: SparkContext) -> None:
    plan = tables(cut).plan(query_text(number))
    expected = cut.expected(number)
    for partitions in (1, 3, 8):
        for broadcast in ("-1", "10m"):
            engine = engine_of(
                inline, mode="never", partitions=partitions, broadcast=broadcast, opening=0
            )
            compare(engine.table(plan), expected, number not in ONE_ROW)


PARTS = 4
_WORTH = 8192  # bytes of a task's share: below, a few values decide


@pytest.mark.parametrize("number", NUMBERS)
def test_tables_are_moved_by_hash(number: int, cut: Tpch, inline: SparkContext) -> None:
    """No task reads more than 2/n of what its stage reads."""
    engine = engine_of(inline, mode="never", partitions=PARTS, broadcast="-1", opening=0)
    plan = tables(cut).plan(query_text(number))
    node = engine.physical(plan)
    found = [each.partitioning for each in walk(node) if isinstance(each, Exchange)]
    by_hash = [each for each in found if isinstance(each, HashColumns)]
    assert all(each.channels == PARTS for each in by_hash)
    assert by_hash or number in (6, 14, 19) or len(found) <= 1
    listener = Recorder()
    inline._session.add_listener(listener)
    engine.table(plan)
    read: dict[int, list[int]] = {}
    for ended in listener.of(ev.TaskEnded):
        read.setdefault(ended.task.stage, []).append(ended.report.bytes_in)
    shared = [sizes for sizes in read.values() if len(sizes) == PARTS]
    for sizes in shared:
        assert max(sizes) <= max(2 * sum(sizes) / PARTS, 2 * _WORTH), sizes
    large = [sizes for sizes in shared if sum(sizes) > PARTS * _WORTH]
    assert large or number in (1, 6, 11, 15, 19, 22), read


@pytest.mark.parametrize(
    ("master", "numbers"),
    [("local[2]", (1, 3, 5, 9, 13, 16, 18, 21, 22)), ("ray[2]", (1, 5, 16, 18, 22))],
)
def test_on_processes(
    master: str, numbers: tuple[int, ...], cut: Tpch, request: pytest.FixtureRequest
) -> None:
    sc = make_context(master, request)
    try:
        for number in numbers:
            plan = tables(cut).plan(query_text(number))
            for mode in ("always", "never", "auto"):
                engine = engine_of(sc, mode=mode, broadcast="-1", opening=0, adaptive=True)
                assert engine.staged == (mode == "never" or (mode, master) == ("auto", "ray[2]"))
                compare(engine.table(plan), cut.expected(number), number not in ONE_ROW)
    finally:
        sc.stop()
