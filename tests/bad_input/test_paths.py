"""Paths that are not there, files that cannot be read, folders that are there already."""

from __future__ import annotations

import gzip
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bad import refused, works

from minispark import SparkContext


@pytest.mark.parametrize(
    "ask",
    [
        lambda sc, path: sc.textFile(path),
        lambda sc, path: sc.wholeTextFiles(path),
        lambda sc, path: sc.binaryFiles(path),
        lambda sc, path: sc.binaryRecords(path, 4),
        lambda sc, path: sc.pickleFile(path),
        lambda sc, path: sc.textFile(f"{os.path.dirname(path)},{path}"),
        lambda sc, path: sc.addFile(path),
        lambda sc, path: sc.addPyFile(path + ".py"),
        lambda sc, path: sc.addArchive(path + ".zip"),
    ],
)
def test_what_is_not_there_is_named_when_it_is_asked_for(
    local_sc: SparkContext, tmp_path: Path, ask: Callable[[SparkContext, str], Any]
) -> None:
    with refused(local_sc, FileNotFoundError, str(tmp_path / "no such thing"), "not exist"):
        ask(local_sc, str(tmp_path / "no such thing"))


def test_patterns_schemes_and_no_path_at_all(local_sc: SparkContext, tmp_path: Path) -> None:
    with refused(local_sc, FileNotFoundError, "no such*", "matches 0 files"):
        local_sc.textFile(str(tmp_path / "no such*"))
    with refused(local_sc, ValueError, "foo://"):
        local_sc.textFile("foo://there/x")
    with refused(local_sc, ValueError, "a path cannot be an empty string"):
        local_sc.textFile("")
    with refused(local_sc, TypeError, "NoneType"):
        local_sc.textFile(None)  # type: ignore[arg-type]


def test_links_that_lead_nowhere(local_sc: SparkContext, tmp_path: Path) -> None:
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name in ("broken", "loop"):
        with refused(local_sc, FileNotFoundError, str(tmp_path / name)):
            local_sc.textFile(str(tmp_path / name)).count()


def test_folders_within_a_folder(local_sc: SparkContext, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("to be")
    (tmp_path / "more").mkdir()
    with refused(local_sc, IsADirectoryError, f"{tmp_path}/more is a folder", "pattern"):
        local_sc.textFile(str(tmp_path)).count()


def test_damaged_compressed_files(local_sc: SparkContext, tmp_path: Path) -> None:
    text = "".join(f"line {random.Random(n).random()}\n" for n in range(5000))
    whole = gzip.compress(text.encode())
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 255
    for name, data in {
        "cut": whole[: len(whole) // 2],
        "no": b"this is no gzip",
        "hit": bytes(damaged),
    }.items():
        path = tmp_path / f"{name}.gz"
        path.write_bytes(data)
        words = [f"cannot read {path}", "in partition 0 of stage", "textFile at test_paths.py"]
        with refused(local_sc, OSError, *words):
            local_sc.textFile(str(path)).count()


def test_bytes_that_are_no_text(local_sc: SparkContext, tmp_path: Path) -> None:
    """As in PySpark: what is not UTF-8 becomes the replacement character, no error."""
    path = tmp_path / "bad.txt"
    path.write_bytes(b"good\n" * 1000 + b"bad \xff\xfe line\n")
    assert local_sc.textFile(str(path), 3).collect()[-1] == "bad \ufffd\ufffd line"
    assert local_sc.textFile(str(path), 3, False).collect()[-1] == b"bad \xff\xfe line"
    assert local_sc.wholeTextFiles(str(path)).values().first().endswith("bad \ufffd\ufffd line\n")


def test_what_was_not_written_by_us(local_sc: SparkContext, tmp_path: Path) -> None:
    path = tmp_path / "part-00000"
    path.write_bytes(b"this is no pickle")
    words = [str(path), "was not written by saveAsPickleFile", "pickleFile at test_paths.py"]
    with refused(local_sc, OSError, *words):
        local_sc.pickleFile(str(tmp_path)).count()
    (tmp_path / "records").write_bytes(b"12345")
    with refused(local_sc, ValueError, "records has 5 bytes", "record length of 4"):
        local_sc.binaryRecords(str(tmp_path / "records"), 4)


def test_a_file_that_goes_before_it_is_read(local_sc: SparkContext, tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("to be\n")
    words = local_sc.textFile(str(path))
    path.unlink()
    with refused(local_sc, FileNotFoundError, str(path), "textFile at test_paths.py"):
        words.count()
    path.write_text("to be\n")
    assert words.count() == 1


# ---- saving --------------------------------------------------------------------------------------


def test_nothing_is_overwritten(local_sc: SparkContext, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    rows = local_sc.parallelize(range(4), 2)
    with refused(local_sc, FileExistsError, f"Output directory file:{tmp_path} already exists"):
        rows.saveAsTextFile(str(tmp_path))
    with refused(local_sc, NotADirectoryError, f"{tmp_path}/mine.txt"):
        rows.saveAsTextFile(str(tmp_path / "mine.txt" / "there"))
    assert os.listdir(tmp_path) == ["mine.txt"]


def test_an_unknown_codec(local_sc: SparkContext, tmp_path: Path) -> None:
    with refused(local_sc, ValueError, "unknown compression codec 'org.foo.Codec'", "known are"):
        local_sc.parallelize([1]).saveAsTextFile(str(tmp_path / "x"), "org.foo.Codec")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("method", ["saveAsTextFile", "saveAsPickleFile"])
def test_a_failed_job_leaves_no_output(local_sc: SparkContext, tmp_path: Path, method: str) -> None:
    rows = local_sc.parallelize(range(100), 8).map(lambda n: 1 // (n - 97))
    with refused(local_sc, ZeroDivisionError, "in partition 7 of stage", "map at test_paths.py"):
        getattr(rows, method)(str(tmp_path / "out"))
    assert os.listdir(tmp_path) == []


def test_a_task_that_ran_twice_writes_once(local_sc: SparkContext, tmp_path: Path) -> None:
    from minispark import chaos

    with chaos.kill_executor(at="after write", partition=1) as fault:
        local_sc.parallelize(range(8), 4).saveAsTextFile(str(tmp_path / "out"))
    assert fault.count == 1
    names = [f"part-{n:05d}" for n in range(4)]
    assert sorted(os.listdir(tmp_path / "out")) == ["_SUCCESS", *names]
    assert local_sc.textFile(str(tmp_path / "out")).map(int).sum() == 28
    assert works(local_sc)
