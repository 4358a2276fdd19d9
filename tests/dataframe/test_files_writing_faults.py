"""Writes that are disturbed: whole and once, or not at all."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from contexts import make_context
from filing import opened, rows_of, whole, writer

from executors.formats import commit
from minispark import SparkContext, chaos
from minispark.errors import AnalysisException, IllegalArgumentException


@pytest.fixture(scope="module")
def sc(request: pytest.FixtureRequest) -> Iterator[SparkContext]:
    context = make_context("inline[2]", request)
    yield context
    context.stop()


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def read(folder: Path) -> list[tuple[int, str]]:
    return sorted(rows_of(opened("parquet", folder)))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Raises:
    """Fails in partition 1, when a table of it was written."""

    def __call__(self, index: int, at: int) -> None:
        if index == 1:
            raise ValueError("no more rows")


def test_an_executor_killed_after_it_wrote_leaves_the_rows_once(
    sc: SparkContext, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with chaos.kill_executor(at="before write", partition=1) as fault:
        writer(sc).parquet(str(out))
    assert fault.count == 1
    assert read(out) == whole()
    assert len([name for name in names(out) if name.startswith("part-")]) == 3
    assert "_temporary" not in names(out)


@pytest.mark.parametrize("mode", ["error", "append", "overwrite"])
def test_a_write_that_fails_leaves_what_was_there(
    sc: SparkContext, tmp_path: Path, mode: str
) -> None:
    out = tmp_path / "out"
    if mode != "error":
        writer(sc).parquet(str(out))
    before = names(out) if out.exists() else None
    with pytest.raises(ValueError, match="no more rows"):
        writer(sc, on_the_way=Raises()).mode(mode).parquet(str(out))
    if before is None:
        assert not out.exists()
    else:
        assert names(out) == before
        assert read(out) == whole()


def test_an_interrupt_leaves_nothing(
    sc: SparkContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: object, **more: object) -> Iterator[object]:
        yield 0, []
        raise KeyboardInterrupt

    monkeypatch.setattr(sc._session, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        writer(sc).parquet(str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_files_that_cannot_be_moved_leave_the_old_ones(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "old.csv").write_text("1\n")
    (out / "_SUCCESS").touch()
    job = commit.begin(str(out), "overwrite")
    assert job is not None
    _, folder, name = commit.attempt(job)
    (Path(folder) / "new.csv").write_text("2\n")
    with pytest.raises(OSError, match="gone"):
        commit.publish(job, [f"{name}/new.csv", f"{name}/gone.csv"])
    assert names(out) == ["_SUCCESS", "old.csv"]


def test_an_attempt_after_the_write_was_given_up_writes_nothing(tmp_path: Path) -> None:
    job = commit.begin(str(tmp_path / "out"), "error")
    assert job is not None
    commit.abandon(job)
    with pytest.raises(FileNotFoundError, match="given up"):
        commit.attempt(job)
    assert not (tmp_path / "out").exists()


def test_a_full_disk(sc: SparkContext, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        with pytest.raises(OSError, match="No space left"):
            writer(sc, tables=20, partitions=1, rows=10_000).csv(str(small / "out"))
        assert os.listdir(small) == []
        assert shutil.disk_usage(small).used == 0
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


# ---- modes ---------------------------------------------------------------------------------------


def test_modes(sc: SparkContext, tmp_path: Path) -> None:
    out = tmp_path / "out"
    writer(sc).parquet(str(out))
    first = names(out)
    with pytest.raises(AnalysisException) as caught:
        writer(sc).parquet(str(out))
    assert caught.value.getCondition() == "PATH_ALREADY_EXISTS"
    writer(sc).mode("ignore").parquet(str(out))
    assert names(out) == first
    writer(sc).mode("append").parquet(str(out))
    assert len(names(out)) == 2 * len(first) - 1  # one _SUCCESS
    writer(sc, partitions=1).mode("overwrite").parquet(str(out))
    assert read(out) == whole(partitions=1)
    with pytest.raises(AnalysisException, match="'upsert'"):
        writer(sc).mode("upsert")


def test_partitions_are_overwritten_all_or_those_that_come(
    sc: SparkContext, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    writer(sc, partitions=3).partitionBy("a").parquet(str(out))
    assert [path.name for path in sorted(out.iterdir())] == ["_SUCCESS", "a=0", "a=1", "a=2"]
    again = writer(sc, partitions=2, tables=1).partitionBy("a").mode("overwrite")
    again.option("partitionOverwriteMode", "dynamic").parquet(str(out))
    found = sorted((a, b) for b, a in rows_of(opened("parquet", out)))
    assert found == [(0, "row 0"), (1, "row 0"), (2, "row 0"), (2, "row 1")]
    writer(sc, partitions=1, tables=1).partitionBy("a").mode("overwrite").parquet(str(out))
    assert [path.name for path in sorted(out.iterdir())] == ["_SUCCESS", "a=0"]


def test_what_cannot_be_written_is_refused_before_anything_is(
    sc: SparkContext, tmp_path: Path
) -> None:
    out = str(tmp_path / "out")
    with pytest.raises(AnalysisException, match="zz"):
        writer(sc).partitionBy("zz").parquet(out)
    with pytest.raises(AnalysisException, match="all columns"):
        writer(sc).partitionBy("a", "b").parquet(out)
    with pytest.raises(AnalysisException, match="one column"):
        writer(sc).text(out)
    with pytest.raises(IllegalArgumentException, match="nope"):
        writer(sc).csv(out, compression="nope")
    with pytest.raises(NotImplementedError, match="avro"):
        writer(sc).format("avro").save(out)
    with pytest.raises(AnalysisException, match="nonsense"):
        writer(sc).format("nonsense").save(out)
    assert not os.path.exists(out)


def test_an_option_that_is_not_known_is_told_once(sc: SparkContext, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="frobnicate"):
        writer(sc).option("frobnicate", 1).csv(str(tmp_path / "out"))
