"""Parquet files: columns, schemas that differ, damage, slices, partitions that are not read."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from filing import of_columns, opened, put, rows_of, table_of
from pyarrow import fs, parquet

from executors.formats import files
from executors.formats.errors import FilesError
from executors.relational.errors import QueryError
from executors.relational.fragments import query
from planner.columns import types as t
from planner.columns.expressions import Call, Expr, Literal, Name
from planner.columns.functions.registry import Settings
from planner.columns.typing import Scope, bind
from planner.query import logical as l
from planner.query.fragment import flatten
from planner.query.pruning import Cutting, joined, pruned, tasks


def filtered(plan: l.Scan, condition: Expr) -> l.Scan:
    return replace(plan, filters=(bind(condition, Scope(plan.output)),))


def test_hidden_files_are_not_read_and_patterns_are(tmp_path: Path) -> None:
    for name in ("a/1.parquet", "a/_2.parquet", "a/.3.parquet", "b/4.parquet", "_c/5.parquet"):
        put(tmp_path / name, {"x": [int(re.findall(r"\d", name)[0])]})
    assert rows_of(opened("parquet", tmp_path / "a")) == [(1,)]
    assert sorted(rows_of(opened("parquet", tmp_path / "[ab]"))) == [(1,), (4,)]
    assert sorted(rows_of(opened("parquet", tmp_path, recursiveFileLookup="true"))) == [(1,), (4,)]
    assert rows_of(opened("parquet", tmp_path / "a", tmp_path / "a")) == [(1,), (1,)]
    old = opened("parquet", tmp_path / "a", modifiedBefore="2000-01-01T00:00:00", schema="x long")
    assert rows_of(old) == []
    kept = opened("parquet", tmp_path / "*", pathGlobFilter="4*")
    assert rows_of(kept) == [(4,)]


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FilesError, match="nowhere") as caught:
        opened("parquet", tmp_path / "nowhere")
    assert caught.value.code == "PATH_NOT_FOUND"
    with pytest.raises(FilesError) as caught:
        opened("parquet", tmp_path)
    assert caught.value.code == "UNABLE_TO_INFER_SCHEMA"


def test_a_truncated_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "half.parquet"
    data = Path(put(tmp_path / "whole.parquet", {"x": list(range(1000))})).read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(FilesError, match=r"half\.parquet") as caught:
        opened("parquet", path)
    assert caught.value.code == "FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER"
    path.write_bytes(b"")
    with pytest.raises(FilesError, match=r"half\.parquet"):
        opened("parquet", path)


def test_folders_give_columns(tmp_path: Path) -> None:
    put(tmp_path / "k=1/w=a%2Fb/f.parquet", {"x": [1, 2]})
    put(tmp_path / "k=2/w=__HIVE_DEFAULT_PARTITION__/f.parquet", {"x": [3]})
    plan = opened("parquet", tmp_path)
    assert [(a.name, a.kind) for a in plan.attrs] == [("x", t.LONG), ("k", t.INT), ("w", t.STRING)]
    assert rows_of(plan) == [(1, 1, "a/b"), (2, 1, "a/b"), (3, 2, None)]
    assert rows_of(of_columns(plan, "k")) == [(1,), (1,), (2,)]
    below = opened("parquet", tmp_path / "k=1", basePath=tmp_path)
    assert rows_of(below) == [(1, 1, "a/b"), (2, 1, "a/b")]
    assert rows_of(opened("parquet", tmp_path / "k=1")) == [(1, "a/b"), (2, "a/b")]
    assert rows_of(opened("parquet", tmp_path, schema="x long, k string, w string"))[2][1] == "2"


def test_a_query_of_no_columns_still_counts(tmp_path: Path) -> None:
    put(tmp_path / "k=1/f.parquet", {"x": [1, 2]})
    put(tmp_path / "k=2/f.parquet", {"x": [3]})
    plan = opened("parquet", tmp_path)
    count = bind(Call("count", (Literal(1, t.INT),)), Scope(plan.output))
    for names in ([], ["k"]):
        below = of_columns(plan, *names)
        from_below = l.Aggregate(below, (), (_alias(count),))
        assert rows_of(from_below) == [(3,)]


def _alias(expr: Expr) -> l.Alias:
    return l.Alias(expr, "n")


def test_folders_that_a_filter_rules_out_are_not_opened(tmp_path: Path) -> None:
    for k in range(5):
        put(tmp_path / f"k={k}/f.parquet", {"x": [k]})
    plan = opened("parquet", tmp_path)
    (tmp_path / "k=0/f.parquet").unlink()  # whoever opened it would fail
    k, x = Name(("k",)), Name(("x",))
    narrow = filtered(plan, Call(">=", (k, Literal(3, t.INT))))
    assert [each.values for each in pruned(narrow, Settings()).slices] == [(3,), (4,)]
    assert rows_of(narrow) == [(3, 3), (4, 4)]
    of_rows = filtered(plan, Call(">=", (x, Literal(3, t.INT))))
    assert len(pruned(of_rows, Settings()).slices) == 5


def test_a_filter_reaches_the_file(tmp_path: Path) -> None:
    put(tmp_path / "f.parquet", {"x": list(range(100)), "y": list(range(100))}, row_group_size=10)
    plan = opened("parquet", tmp_path)
    x = plan.attrs[0]
    above = l.Filter(plan, bind(Call(">", (x, Literal(95, t.LONG))), Scope(plan.output)))
    shown = query(flatten(l.Project(above, (x,)), Settings()), [], 0).explain()
    assert "PROJECT 1/2 COLUMNS" in shown
    assert "SELECTION" in shown


def test_schemas_that_differ(tmp_path: Path) -> None:
    one = put(tmp_path / "1.parquet", {"a": pa.array([1], pa.int32()), "b": ["x"]})
    two = put(tmp_path / "2.parquet", {"A": pa.array([2], pa.int32())})
    assert rows_of(opened("parquet", one, two)) == [(1, "x"), (2, None)]
    put(tmp_path / "3.parquet", {"c": [1.5], "a": pa.array([3], pa.int32())})
    every = opened("parquet", tmp_path, merge=True)
    assert [a.name for a in every.attrs] == ["a", "b", "c"]
    assert rows_of(every) == [(1, "x", None), (2, None, None), (3, None, 1.5)]
    wide = opened("parquet", tmp_path, schema="a long, c double")
    assert rows_of(wide) == [(1, None), (2, None), (3, 1.5)]


def test_schemas_that_conflict_name_both_files_and_the_column(tmp_path: Path) -> None:
    one = put(tmp_path / "one.parquet", {"a": [1], "b": [1]})
    two = put(tmp_path / "two.parquet", {"a": ["x"], "b": [2]})
    plan = opened("parquet", one, two)
    assert rows_of(of_columns(plan, "b")) == [(1,), (2,)]
    with pytest.raises(QueryError) as caught:
        rows_of(plan)
    for word in ("one.parquet", "two.parquet", "column a", "string", "bigint"):
        assert word in str(caught.value)
    with pytest.raises(FilesError) as refused:
        opened("parquet", one, two, merge=True)
    assert refused.value.code == "CANNOT_MERGE_SCHEMAS"
    for word in ("one.parquet", "two.parquet", "column a"):
        assert word in str(refused.value)


def test_types_of_files(tmp_path: Path) -> None:
    moment = datetime.datetime(2020, 1, 2, 3, 4, 5)
    columns = {
        "u": pa.array([2**63], pa.uint64()),
        "small": pa.array([1], pa.uint8()),
        "word": pa.array(["x"]).dictionary_encode(),
        "naive": pa.array([moment], pa.timestamp("ms")),
        "instant": pa.array([moment], pa.timestamp("ns", "UTC")),
        "far": pa.array([moment], pa.timestamp("us", "Europe/Paris")),
        "deep": pa.array([[{"a": 1}]], pa.list_(pa.struct([("a", pa.int16())]))),
    }
    put(tmp_path / "f.parquet", columns)
    plan = opened("parquet", tmp_path)
    assert [a.kind.simpleString() for a in plan.attrs] == [
        "decimal(20,0)",
        "smallint",
        "string",
        "timestamp_ntz",
        "timestamp",
        "timestamp",
        "array<struct<a:smallint>>",
    ]
    row = rows_of(plan)[0]
    assert row[:4] == (Decimal(2**63), 1, "x", moment)
    assert [each.replace(tzinfo=None) for each in row[4:6]] == [moment, moment]
    assert row[6] == [{"a": 1}]


def test_old_times_of_96_bits_are_instants(tmp_path: Path) -> None:
    moment = datetime.datetime(2020, 1, 2, 3, 4, 5)
    put(tmp_path / "f.parquet", {"x": [moment]}, use_deprecated_int96_timestamps=True)
    plan = opened("parquet", tmp_path)
    assert plan.attrs[0].kind == t.TIMESTAMP
    assert rows_of(plan)[0][0].replace(tzinfo=None) == moment


def test_large_files_are_cut_at_row_groups_and_small_ones_put_together(tmp_path: Path) -> None:
    put(tmp_path / "large.parquet", {"x": list(range(1000))}, row_group_size=100)
    for at in range(20):
        put(tmp_path / f"small{at:02d}.parquet", {"x": [1000 + at]})
    plan = opened("parquet", tmp_path)
    size = plan.slices[0].bytes
    cut = tasks(plan, Cutting(most=size // 3, opening=10))
    assert len(cut) > 3
    assert max(len(task) for task in cut) > 1
    parts = [replace(plan, slices=task) for task in cut]
    rows = [row for part in parts for row in rows_of(part)]
    assert sorted(rows) == [(n,) for n in range(1020)]
    of_large = [each for task in cut for each in task if each.pieces]
    assert sum(each.rows for each in of_large) == 1000
    back = joined(sorted(of_large, key=lambda each: each.pieces))
    assert [(each.pieces, each.rows) for each in back] == [((0, 1000), 1000)]
    one = tasks(plan, Cutting(tasks=1))
    assert [len(task) for task in one] == [21]


def test_files_of_a_file_system_that_polars_does_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem())
    place = files.Place(inner, "", "mem://store")
    monkeypatch.setattr(files, "_remote", lambda scheme, authority: place)
    put(tmp_path / "d/k=1/f.parquet", {"x": list(range(30))}, row_group_size=10)
    (tmp_path / "c.csv").write_text("a,1\nb,2\n")
    plan = opened("parquet", "mem://store/d")
    assert sum(row[0] for row in rows_of(plan)) == sum(range(30))
    pieces = [each for task in tasks(plan, Cutting(most=1, opening=0)) for each in task]
    assert len(pieces) == 3
    assert len(rows_of(replace(plan, slices=(pieces[1],)))) == 10
    assert rows_of(opened("csv", "mem://store/c.csv")) == [("a", "1"), ("b", "2")]


def test_many_folders_are_one_query(tmp_path: Path) -> None:
    for k in range(60):
        put(tmp_path / f"k={k}/f.parquet", {"x": [k]})
    table = table_of(opened("parquet", tmp_path))
    assert pl.DataFrame(table)["k"].sum() == sum(range(60))
    assert parquet.read_metadata(tmp_path / "k=1/f.parquet").num_rows == 1


def test_a_file_that_is_damaged_or_gone_is_named(tmp_path: Path) -> None:
    put(tmp_path / "good.parquet", {"x": list(range(10_000))})
    bad = Path(put(tmp_path / "bad.parquet", {"x": list(range(10_000))}))
    plan = opened("parquet", tmp_path)
    data = bytearray(bad.read_bytes())
    data[100:3000] = b"\x7f" * 2900
    bad.write_bytes(bytes(data))
    with pytest.raises(QueryError, match=r"bad\.parquet is damaged") as caught:
        rows_of(plan)
    assert caught.value.code == "FAILED_READ_FILE.NO_HINT"
    bad.unlink()
    with pytest.raises(QueryError, match=r"bad\.parquet is not there any more") as caught:
        rows_of(plan)
    assert caught.value.code == "FAILED_READ_FILE.FILE_NOT_EXIST"


def test_patterns_leave_hidden_files_out(tmp_path: Path) -> None:
    put(tmp_path / "f.parquet", {"x": [1]})
    (tmp_path / "_SUCCESS").touch()
    assert rows_of(opened("parquet", tmp_path / "*")) == [(1,)]
    with pytest.raises(FilesError, match="hidden") as caught:
        opened("parquet", tmp_path / "_SUCCESS")
    assert caught.value.code == "PATH_NOT_FOUND"
