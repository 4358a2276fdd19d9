"""Lines of csv, json and text files in byte ranges, compressed, malformed."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import pytest
from filing import of_columns, opened, rows_of

from executors.formats import plain
from executors.relational.errors import QueryError
from planner.query.pruning import Cutting, tasks


@pytest.mark.parametrize("most", [1, 7, 64, 1000])
@pytest.mark.parametrize("header", ["true", "false"])
def test_byte_ranges_hold_every_line_once(tmp_path: Path, most: int, header: str) -> None:
    lines = [f"{n},{'é' * (n % 5)}x" for n in range(100)]
    (tmp_path / "f.csv").write_text("\r\n".join(["n,w", *lines] if header == "true" else lines))
    plan = opened("csv", tmp_path, header=header, schema="n int, w string")
    cut = tasks(plan, Cutting(most=most, opening=0))
    assert len(cut) >= min(len(lines), 1000 // most) // 2
    rows = [row for task in cut for row in rows_of(replace(plan, slices=task))]
    assert sorted(rows) == [(n, "é" * (n % 5) + "x") for n in range(100)]


def test_a_block_ends_within_a_record_of_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain, "CHUNK", 50)
    (tmp_path / "f.json").write_text("".join(f'{{"n": {n}}}\n' for n in range(50)))
    assert rows_of(opened("json", tmp_path)) == [(n,) for n in range(50)]


def test_compressed_files_are_read_whole(tmp_path: Path) -> None:
    (tmp_path / "f.csv.gz").write_bytes(gzip.compress(b"a,1\nb,2\n"))
    plan = opened("csv", tmp_path)
    assert rows_of(plan) == [("a", "1"), ("b", "2")]
    assert len(tasks(plan, Cutting(most=1, opening=0))) == 1


def test_lines_across_lines_are_not_cut(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text('a,"x\ny"\nb,z\n')
    plan = opened("csv", tmp_path, multiLine="true")
    assert len(tasks(plan, Cutting(most=1, opening=0))) == 1
    assert rows_of(plan) == [("a", "x\ny"), ("b", "z")]


@pytest.mark.parametrize(
    ("form", "text"),
    [("csv", "1,a\n2,b\nzz,c\n"), ("json", '{"n":1,"w":"a"}\n\n{"n":"zz","w":"c"}\n')],
)
def test_a_malformed_record_names_file_and_line(tmp_path: Path, form: str, text: str) -> None:
    (tmp_path / "bad.txt").write_text(text)
    plan = opened(form, tmp_path, schema="n int, w string", mode="FAILFAST")
    with pytest.raises(QueryError) as caught:
        rows_of(plan)
    assert "bad.txt, line 3" in str(caught.value)
    assert "zz" in str(caught.value)
    assert caught.value.code == "MALFORMED_RECORD_IN_PARSING"
    kept = opened(form, tmp_path, schema="n int, w string", mode="DROPMALFORMED")
    assert len(rows_of(kept)) == len(text.split()) - 1
    told = opened(form, tmp_path, schema="n int, w string, _corrupt_record string")
    assert [row[2] for row in rows_of(told)][-1] == text.split()[-1]


def test_only_the_column_of_malformed_records_cannot_be_asked_for(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("1\nx\n")
    plan = opened("csv", tmp_path, schema="n int, _corrupt_record string")
    with pytest.raises(QueryError) as caught:
        rows_of(of_columns(plan, "_corrupt_record"))
    assert caught.value.code == "UNSUPPORTED_FEATURE.QUERY_ONLY_CORRUPT_RECORD_COLUMN"


def test_wide_characters_are_read_whole(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("é,1\nü,2\n", encoding="utf-16")
    plan = opened("csv", tmp_path, encoding="UTF-16")
    assert rows_of(plan) == [("é", "1"), ("ü", "2")]


def test_quoted_fields_are_the_same_by_both_ways(tmp_path: Path) -> None:
    """Lines that Polars can cut and those that only our parser can, mixed."""
    rows = [(f"a{n},b", 'say "hi"' if n % 3 else "plain", "" if n % 2 else "z") for n in range(30)]
    quoted = [
        ",".join('"' + cell.replace('"', '\\"') + '"' for cell in row) + f",{n}"
        for n, row in enumerate(rows)
    ]
    (tmp_path / "f.csv").write_text("\n".join(quoted))
    found = rows_of(opened("csv", tmp_path, schema="a string, b string, c string, n int"))
    assert [row[:2] for row in found] == [row[:2] for row in rows]
    assert [row[2] for row in found] == [row[2] or None for row in rows]
    assert [row[3] for row in found] == list(range(30))
