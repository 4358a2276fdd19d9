"""ORC files, in and out."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from filing import of_columns, opened, rows_of
from pyarrow import orc

from executors.formats.errors import FilesError
from planner.columns import types as t


def test_columns_types_and_stripes(tmp_path: Path) -> None:
    moment = datetime.datetime(2020, 1, 2, 3, 4, 5)
    table = pa.table(
        {
            "n": pa.array(range(3), pa.int32()),
            "w": ["a", None, "c"],
            "d": pa.array([Decimal("1.50"), None, Decimal("2.25")], pa.decimal128(10, 2)),
            "plain": pa.array([moment] * 3, pa.timestamp("us")),
            "deep": pa.array([[1], [], None], pa.list_(pa.int64())),
        }
    )
    (tmp_path / "k=7").mkdir()
    orc.write_table(table, tmp_path / "k=7/f.orc")
    plan = opened("orc", tmp_path)
    kinds = ["int", "string", "decimal(10,2)", "timestamp", "array<bigint>", "int"]
    assert [attr.kind.simpleString() for attr in plan.attrs] == kinds
    assert plan.slices[0].rows == 3
    assert rows_of(of_columns(plan, "deep", "k", "n")) == [([1], 7, 0), ([], 7, 1), (None, 7, 2)]
    assert rows_of(plan)[0][3].replace(tzinfo=None) == moment
    given = opened("orc", tmp_path, schema="N int, missing string")
    assert given.attrs[1].kind == t.STRING
    assert rows_of(given) == [(0, None, 7), (1, None, 7), (2, None, 7)]
    assert rows_of(of_columns(plan, "k")) == [(7,), (7,), (7,)]


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.orc").write_bytes(b"ORC and no more")
    with pytest.raises(FilesError, match=r"bad\.orc"):
        opened("orc", tmp_path)
