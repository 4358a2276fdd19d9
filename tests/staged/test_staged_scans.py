"""How files become tasks: small ones together, large ones in even pieces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from contexts import Recorder, make_context

from executors.formats.parquet import tables as rows_between
from minispark.context import SparkContext
from minispark.sql import SparkSession
from planner import events as ev
from planner.query import logical as l
from planner.query.pruning import Cutting, tasks

MB = 1 << 20


def scan(*slices: l.FileSlice) -> l.Scan:
    return l.Scan("parquet", (), slices)


def file(name: str, size: int, groups: int = 1, rows: int = 1000) -> l.FileSlice:
    each = (rows // groups, size // groups)
    return l.FileSlice(name, rows, size, groups=(each,) * groups)


def sizes(*slices: l.FileSlice, **how: int) -> list[int]:
    """The MB of each task."""
    found = tasks(scan(*slices), Cutting(**how))
    return [sum(piece.bytes for piece in pack) // MB for pack in found]


def test_large_files_are_cut_evenly() -> None:
    assert sizes(file("a", 220 * MB, 44), tasks=2) == [110, 110]
    assert sizes(file("a", 1000 * MB, 100), tasks=2) == [120, 130] * 4  # groups stay whole
    assert max(sizes(file("a", 1000 * MB, 37), tasks=2)) <= 140
    assert sizes(file("a", 320 * MB, 64), tasks=4) == [80] * 4


def test_as_many_pieces_as_end_together() -> None:
    """Three tasks on two executors would take as long as four, and each is larger."""
    assert sizes(file("a", 300 * MB, 60), tasks=2) == [75] * 4
    assert len(sizes(file("a", 10_000 * MB, 1000), tasks=2)) == 80


def test_a_large_row_group_is_cut_by_rows() -> None:
    found = tasks(scan(file("a", 256 * MB, 1, 10_000)), Cutting(tasks=4))
    assert [pack[0].pieces for pack in found] == [(at, 2500) for at in range(0, 10_000, 2500)]
    uneven = l.FileSlice("a", 110, 110 * MB, groups=((100, 100 * MB), (10, 10 * MB)))
    rows = [pack[0].rows for pack in tasks(scan(uneven), Cutting(tasks=2))]
    assert sum(rows) == 110 and max(rows) <= 70
    few = tasks(scan(file("a", 256 * MB, 1, 3)), Cutting(tasks=8))
    assert sum(pack[0].rows for pack in few) == 3


def test_over_a_network_row_groups_stay_whole() -> None:
    far = file("s3://bucket/a", 256 * MB, 2, 10_000)
    assert [pack[0].rows for pack in tasks(scan(far), Cutting(tasks=8))] == [5000, 5000]


def test_small_files_are_put_together() -> None:
    many = [file(f"{at:02}", MB) for at in range(50)]
    assert sizes(*many, tasks=2) == [25, 25]  # 4 MB more for each: 125 MB a task
    assert sizes(*many, tasks=2, opening=0) == [25, 25]
    assert len(sizes(*many, tasks=2, opening=64 * MB)) == 25
    assert sizes(*many, tasks=2, opening=0, most=10 * MB) == [10] * 5
    assert sizes(*many, file("large", 200 * MB, 40), tasks=2)[0] < 128


def test_what_the_settings_say_is_the_most() -> None:
    for most in (1, 7, 33, 128):
        found = sizes(file("a", 640 * MB, 640), *[file("b", 3 * MB)] * 40, most=most * MB, tasks=3)
        assert max(found) <= max(most, 3) and sum(found) <= 760


def test_tasks_are_in_the_order_of_the_files() -> None:
    found = tasks(scan(file("a", 300 * MB, 7), file("b", 90 * MB)), Cutting(tasks=2))
    assert [pack[0].path for pack in found] == sorted(pack[0].path for pack in found)
    starts = [pack[0].pieces[0] for pack in found if pack[0].path == "a"]
    assert starts == sorted(starts)


def test_lines_are_cut_evenly() -> None:
    whole = l.FileSlice("a.csv", -1, 201, (), (0, 201))
    found = tasks(l.Scan("csv", (), (whole,)), Cutting(most=100, opening=0, tasks=3))
    assert [pack[0].pieces for pack in found] == [(0, 67), (67, 134), (134, 201)]
    packed = l.FileSlice("a.csv.gz", -1, 500)
    assert tasks(l.Scan("csv", (), (packed,)), Cutting(most=100)) == [(packed,)]


def test_rows_of_a_part_of_a_row_group(tmp_path: Path) -> None:
    path = str(tmp_path / "a.parquet")
    pq.write_table(pa.table({"n": range(25)}), path, row_group_size=10)
    for first, rows in ((0, 25), (0, 3), (3, 4), (8, 14), (20, 5), (24, 1)):
        found = pa.concat_tables(rows_between(path, ["n"], first, rows))
        assert found["n"].to_pylist() == list(range(first, first + rows))
    assert sum(t.num_rows for t in rows_between(path, None, 0, -1)) == 25


# ---- with files ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def context(request: pytest.FixtureRequest) -> Iterator[SparkContext]:
    found = make_context("inline[2]", request)
    yield found
    found.stop()


@pytest.fixture
def spark(context: SparkContext) -> Iterator[SparkSession]:
    session = SparkSession(context)
    settings = {
        "minispark.sql.singleNode": "never",
        "spark.sql.files.openCostInBytes": "0",
        "spark.sql.shuffle.partitions": "4",
    }
    for name, value in settings.items():
        session.conf.set(name, value)
    yield session
    for name in (*settings, "spark.sql.files.maxPartitionBytes"):
        session.conf.unset(name)


def test_one_row_group_is_read_by_several_tasks(spark: SparkSession, tmp_path: Path) -> None:
    rows = 40_000
    data = pa.table({"n": range(rows), "t": [f"text {at % 999}" for at in range(rows)]})
    pq.write_table(data, tmp_path / "one.parquet", row_group_size=rows)
    frame = spark.read.parquet(str(tmp_path / "one.parquet"))
    listener = Recorder()
    spark.sparkContext._session.add_listener(listener)
    assert [row.n for row in frame.select("n").collect()] == list(range(rows))
    scanned = [each.report.rows_out for each in listener.of(ev.TaskEnded)]
    assert len(scanned) == 4 and max(scanned) <= 2 * rows / 4
    found = frame.where("n % 1000 = 7 and t like 'text 1%'").orderBy("n").collect()
    assert [row.n for row in found] == [
        at for at in range(7, rows, 1000) if f"text {at % 999}".startswith("text 1")
    ]
    assert frame.rdd.getNumPartitions() == 4
    spark.conf.set("spark.sql.files.maxPartitionBytes", str(1 << 40))
    spark.conf.set("spark.sql.files.openCostInBytes", str(1 << 40))
    assert frame.rdd.getNumPartitions() == 1


@pytest.mark.parametrize("form", ["csv", "json"])
def test_lines_are_read_by_several_tasks(form: str, spark: SparkSession, tmp_path: Path) -> None:
    """A line is read once, by the task in whose bytes it begins."""
    path = tmp_path / f"a.{form}"
    texts = ['a "quoted" text', "with, a comma", "é", "", "\r" if form == "json" else "x"]
    whole = spark.createDataFrame(
        [(n, texts[n % 5] * (n % 40)) for n in range(3000)], "n int, s string"
    )
    spark.conf.set("minispark.sql.singleNode", "always")
    getattr(whole.coalesce(1).write, form)(str(path))
    spark.conf.set("minispark.sql.singleNode", "never")
    reader = spark.read.schema("n int, s string")
    for most in ("7777", "64k", "1g"):
        spark.conf.set("spark.sql.files.maxPartitionBytes", most)
        frame = getattr(reader, form)(str(path))
        assert frame.rdd.getNumPartitions() >= 4
        found = [(row.n, row.s or "") for row in frame.collect()]
        assert found == [(n, texts[n % 5] * (n % 40)) for n in range(3000)], most


def test_lines_within_quotes(spark: SparkSession, tmp_path: Path) -> None:
    """With multiLine a file is read whole; without, every end of a line ends a row."""
    path = tmp_path / "a.csv"
    path.write_text("n,s\n" + "".join(f'{n},"one\ntwo"\n' for n in range(500)))
    spark.conf.set("spark.sql.files.maxPartitionBytes", "1k")
    frame = spark.read.csv(str(path), header=True, multiLine=True, schema="n int, s string")
    assert frame.rdd.getNumPartitions() == 1
    assert [(row.n, row.s) for row in frame.collect()] == [(n, "one\ntwo") for n in range(500)]
    loose = spark.read.csv(str(path), header=True, schema="n string, s string")
    assert loose.rdd.getNumPartitions() >= 4 and loose.count() == 1000
