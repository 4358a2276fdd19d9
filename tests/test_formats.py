"""Files: what paths and patterns name, how files are cut, and that every row arrives once."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import itertools
import os
import pickle
import threading
import zlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executors.formats import codecs, commit, files, pickled, records, save, text, whole
from executors.formats.errors import FilesError
from executors.formats.reader import read
from planner.sources import FilesPart, Part, PickledPart, RangePart, RecordsPart, RowsPart, TextPart


def put(folder: Path, name: str, data: bytes) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return str(path)


def names(found: list[files.Found]) -> list[str]:
    return [os.path.basename(each.path) for each in found]


def glom(path: str, minimum: int, use_unicode: bool = True) -> list[list[Any]]:
    parts = text.split(files.find(path), minimum, use_unicode)
    return [list(read(part)) for part in parts]


# ---- paths ---------------------------------------------------------------------------------------


def test_a_folder_gives_its_visible_files_in_order(tmp_path: Path) -> None:
    for name in ("b", "a", "_SUCCESS", ".hidden"):
        put(tmp_path, name, b"x\n")
    assert names(files.find(str(tmp_path))) == ["a", "b"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("log?.txt", ["log1.txt", "log2.txt", "log3.txt"]),
        ("log[12].txt", ["log1.txt", "log2.txt"]),
        ("log[^12].txt", ["log3.txt"]),
        ("log[!12].txt", ["log3.txt"]),
        ("log{1,3}.txt", ["log1.txt", "log3.txt"]),
        ("{log1,deep/sub/x}.txt", ["x.txt", "log1.txt"]),
        ("log1.txt,log2.txt", ["log1.txt", "log2.txt"]),
        ("deep/*/x.txt", ["x.txt"]),
        ("log\\[4].txt", ["log[4].txt"]),
        ("log1.txt,log1.txt", ["log1.txt", "log1.txt"]),
    ],
)
def test_patterns_are_hadoops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str, expected: list[str]
) -> None:
    for name in ("log1.txt", "log2.txt", "log3.txt", "log[4].txt", "deep/sub/x.txt"):
        put(tmp_path, name, b"x\n")
    monkeypatch.chdir(tmp_path)
    assert names(files.find(pattern)) == expected


def test_a_uri_of_the_local_file_system_is_a_path(tmp_path: Path) -> None:
    path = put(tmp_path, "a b.txt", b"x\n")
    for uri in ("file:" + path, "file://" + path):
        (found,) = files.find(uri)
        assert (found.path, found.shown, found.size) == (path, "file:" + path, 2)


@pytest.mark.parametrize("name", ["nothing", "nothing*", "_hidden"])
def test_what_does_not_exist_is_named(tmp_path: Path, name: str) -> None:
    put(tmp_path, "_hidden", b"")
    put(tmp_path, "there", b"")
    with pytest.raises(FileNotFoundError) as caught:
        files.find(f"{tmp_path}/there,{tmp_path}/{name}")
    assert f"file:{tmp_path}/{name}" in str(caught.value)
    assert ("Input Pattern" if "*" in name else "Input path does not exist") in str(caught.value)
    assert ("hidden)" in str(caught.value)) == name.startswith("_")


def test_folders_within_folders(tmp_path: Path) -> None:
    put(tmp_path, "top", b"1")
    put(tmp_path, "sub/below", b"2")
    put(tmp_path, "_sub/hidden", b"3")
    with pytest.raises(IsADirectoryError, match="/sub is a folder within"):
        files.find(str(tmp_path))
    assert names(files.find(str(tmp_path), "skip")) == ["top"]
    assert names(files.find(str(tmp_path), "enter")) == ["below", "top"]
    assert names(files.find(f"{tmp_path}/*")) == ["below", "top"]


def test_bad_paths_have_clear_errors(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="empty string"):
        files.find("")
    with pytest.raises(ValueError, match="no file system for nonsense://"):
        files.find("nonsense://a/b")
    with pytest.raises(ValueError, match="opening brace"):
        files.find(f"{tmp_path}/{{a")
    with pytest.raises(ValueError, match=r"a '\[' that nothing closes"):
        files.find(f"{tmp_path}/[a")


# ---- text ----------------------------------------------------------------------------------------

MIXED = b"one\ntwo\r\nthree\rfour\n\nfive"

# What PySpark 4.3 on Hadoop 3 gives for `textFile(path, n).glom().collect()`.
HADOOP = {
    1: [["one", "two", "three", "four", "", "five"]],
    2: [["one", "two", "three"], ["four", "", "five"]],
    3: [["one", "two"], ["three", "four"], ["", "five"], []],
    4: [["one", "two"], ["three"], ["four"], ["", "five"], []],
    5: [["one", "two"], ["three"], ["four"], [""], ["five"]],
    6: [["one", "two"], [], ["three"], ["four"], [""], ["five"], []],
    7: [["one"], ["two"], ["three"], [], ["four"], [], ["", "five"], [], []],
    9: [["one"], ["two"], [], [], ["three"], [], [], ["four"], [], [""], ["five"], [], []],
}


@pytest.mark.parametrize("minimum", HADOOP)
def test_partitions_are_those_of_hadoop(tmp_path: Path, minimum: int) -> None:
    assert glom(put(tmp_path, "a", MIXED), minimum) == HADOOP[minimum]


def test_several_files_share_the_minimum(tmp_path: Path) -> None:
    put(tmp_path, "a", MIXED)
    put(tmp_path, "b", b"")
    put(tmp_path, "c", b"x\n" * 10)
    assert [len(rows) for rows in glom(f"{tmp_path}/*", 3)] == [4, 2, 8, 2]
    assert glom(f"{tmp_path}/b", 3) == []


@settings(max_examples=150, deadline=None)
@given(
    data=st.lists(st.sampled_from([b"a", b"\xc3\xa9", b"\n", b"\r", b"\r\n", b"bcd"]), max_size=40),
    cuts=st.lists(st.integers(0, 80), max_size=5),
    chunk=st.integers(1, 9),
    unicode=st.booleans(),
)
def test_every_line_comes_once_wherever_it_is_cut(
    tmp_path_factory: pytest.TempPathFactory,
    data: list[bytes],
    cuts: list[int],
    chunk: int,
    unicode: bool,
) -> None:
    contents = b"".join(data)
    path = put(tmp_path_factory.mktemp("lines"), "a", contents)
    at = sorted({0, len(contents), *(cut for cut in cuts if cut < len(contents))})
    parts = [TextPart(((path, a, b),), unicode) for a, b in pairwise(at)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "_CHUNK", chunk)
        patch.setattr(text, "_TAIL", max(1, chunk // 2))
        found = [line for part in parts for line in read(part)]
    ends = contents.replace(b"\r\n", b"\n").replace(b"\r", b"\n").removesuffix(b"\n")
    expected: list[Any] = ends.split(b"\n") if contents else []
    assert found == ([line.decode() for line in expected] if unicode else expected)


def test_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    path = put(tmp_path, "a", b"ok\n\xff\xfebad\n")
    assert glom(path, 1) == [["ok", "\ufffd\ufffdbad"]]
    assert glom(path, 1, use_unicode=False) == [[b"ok", b"\xff\xfebad"]]


def test_a_byte_order_mark_is_not_part_of_the_first_line(tmp_path: Path) -> None:
    path = put(tmp_path, "a", b"\xef\xbb\xbfhi\nyo\n")
    assert [line for rows in glom(path, 1) for line in rows] == ["hi", "yo"]
    assert [line for rows in glom(path, 8) for line in rows] == ["hi", "yo"]


def test_characters_that_python_also_splits_at_stay(tmp_path: Path) -> None:
    line = "a\x0bb\x0cc\x1cd\x85e\u2028f"
    assert glom(put(tmp_path, "a", line.encode() + b"\n"), 1) == [[line]]


@pytest.mark.parametrize(
    ("name", "pack"),
    [("a.gz", gzip.compress), ("a.bz2", bz2.compress), ("a.deflate", zlib.compress)],
)
def test_compressed_files_are_one_partition(tmp_path: Path, name: str, pack: Any) -> None:
    body = b"\xc3\xa9t\xc3\xa9\r\n" * 300_000
    path = put(tmp_path, name, pack(body))
    (rows,) = glom(path, 5)
    assert rows == ["été"] * 300_000


def test_gzip_members_one_after_the_other(tmp_path: Path) -> None:
    path = put(tmp_path, "a.gz", gzip.compress(b"1\n") + gzip.compress(b"2\n"))
    assert glom(path, 2) == [["1", "2"]]


@pytest.mark.parametrize("name", ["a.gz", "a.bz2", "a.deflate", "a.zst"])
def test_a_damaged_file_is_named(tmp_path: Path, name: str) -> None:
    path = put(tmp_path, name, b"this is not compressed at all")
    with pytest.raises(OSError, match=name):
        glom(path, 1)


def test_a_file_that_ends_too_early_is_named(tmp_path: Path) -> None:
    for name, data in (
        ("a.gz", gzip.compress(os.urandom(5000))[:-100]),
        ("b.deflate", zlib.compress(os.urandom(5000))[:-100]),
    ):
        with pytest.raises(OSError, match=name):
            glom(put(tmp_path, name, data), 1)


def test_reading_is_lazy(tmp_path: Path) -> None:
    rows = read(TextPart(((str(tmp_path / "not yet"), 0, 4),)))
    put(tmp_path, "not yet", b"now\n")
    assert next(rows) == "now"


def test_a_file_that_vanished_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="gone"):
        list(read(TextPart(((str(tmp_path / "gone"), 0, 4),))))


def test_many_partitions_of_a_large_file() -> None:
    big = [files.Found("/big", "file:/big", 100 << 20)]
    assert [stop - start for _, start, stop in text.spans(big, 1) if stop] == [
        32 << 20,
        32 << 20,
        32 << 20,
        4 << 20,
    ]
    with pytest.raises(ValueError, match="negative"):
        text.split(big, -1, True)


# ---- whole files, records, ranges, rows ----------------------------------------------------------


def test_whole_files_are_packed_by_size(tmp_path: Path) -> None:
    for name in "123":
        put(tmp_path, name, name.encode() + b"\n")
    found = files.find(str(tmp_path))
    two = whole.text_parts(found, 2, True)
    shown = f"file:{tmp_path}"
    assert [list(read(part)) for part in two] == [
        [(f"{shown}/1", "1\n"), (f"{shown}/2", "2\n")],
        [(f"{shown}/3", "3\n")],
    ]
    assert [len(part.paths) for part in whole.text_parts(found, 3, True)] == [1, 1, 1]
    assert [len(part.paths) for part in whole.binary_parts(found, 3)] == [3]
    assert [len(part.paths) for part in whole.binary_parts(found, 3, opening=1)] == [2, 1]
    assert whole.text_parts([], 2, True) == ()


def test_whole_files_as_text_and_as_bytes(tmp_path: Path) -> None:
    packed = gzip.compress(b"\xff!")
    path = put(tmp_path, "a.gz", packed)
    name = "file:" + path
    assert list(read(FilesPart((path,), True))) == [(name, "\ufffd!")]
    assert list(read(FilesPart((path,), True, False))) == [(name.encode(), b"\xff!")]
    assert list(read(FilesPart((path,), False))) == [(name, packed)]
    empty = put(tmp_path, "empty", b"")
    assert list(read(FilesPart((empty,), True))) == [("file:" + empty, "")]


def test_records(tmp_path: Path) -> None:
    put(tmp_path, "a", b"0123456789" * 2)
    put(tmp_path, "b", b"abcdefgh")
    parts = records.split(files.find(str(tmp_path)), 4)
    assert [list(read(part)) for part in parts] == [
        [b"0123", b"4567", b"8901", b"2345", b"6789"],
        [b"abcd", b"efgh"],
    ]
    with pytest.raises(ValueError, match="8 bytes, which is not a multiple"):
        records.split(files.find(f"{tmp_path}/b"), 5)
    with pytest.raises(ValueError, match="at least 1"):
        records.split([], 0)


def test_large_files_of_records_are_cut_between_records(tmp_path: Path) -> None:
    found = [files.Found("/big", "file:/big", 999 * 100_003)]
    parts = records.split(found, 999)
    assert len(parts) > 1
    assert all((stop - start) % 999 == 0 for part in parts for _, start, stop in part.pieces)


def test_ranges_and_rows() -> None:
    assert list(read(RangePart(0, 7, 3))) == [0, 3, 6]
    assert next(read(RangePart(0, 10**15, 1))) == 0
    assert list(read(RowsPart(pickle.dumps([1, "b"]), 2))) == [1, "b"]
    with pytest.raises(TypeError, match="no reader for a Part"):
        read(Part())


# ---- saving --------------------------------------------------------------------------------------


def tree(folder: str) -> list[str]:
    return sorted(
        os.path.relpath(os.path.join(base, name), folder)
        for base, folders, inside in os.walk(folder)
        for name in inside + folders
    )


def test_a_saved_folder_appears_at_once(tmp_path: Path) -> None:
    saving = commit.begin(f"{tmp_path}/new/out", "new")
    rows: list[Any] = ["a", "é", 1, None, b"by", ("x", 1)]
    late = save.save_text_partition(saving, 1, rows[2:])
    retried = save.save_text_partition(saving, 1, rows[2:])
    first = save.save_text_partition(saving, 0, rows[:2])
    assert all(name.startswith("_temporary") for name in tree(saving.folder))
    commit.publish(saving, [first, retried])
    assert late != retried
    assert tree(saving.folder) == ["_SUCCESS", "part-00000", "part-00001"]
    assert Path(saving.folder, "part-00000").read_bytes() == "a\né\n".encode()
    assert Path(saving.folder, "part-00001").read_bytes() == b"1\nNone\nby\n('x', 1)\n"


def test_a_save_that_failed_leaves_nothing(tmp_path: Path) -> None:
    saving = commit.begin(f"{tmp_path}/out", "new")
    save.save_text_partition(saving, 0, ["a"])
    commit.abandon(saving)
    commit.abandon(saving)
    assert os.listdir(tmp_path) == []
    with pytest.raises(FileNotFoundError, match="given up"):
        save.save_text_partition(saving, 1, ["b"])
    assert os.listdir(tmp_path) == []


def test_a_task_that_writes_on_is_left_behind(tmp_path: Path) -> None:
    saving = commit.begin(f"{tmp_path}/out", "new")
    assert saving is not None
    _, folder, _ = commit.attempt(saving)
    begun = threading.Event()

    def write_on() -> None:
        with contextlib.suppress(FileNotFoundError):
            for n in itertools.count():
                Path(folder, str(n)).touch()
                begun.set()

    task = threading.Thread(target=write_on)
    task.start()
    begun.wait()
    commit.abandon(saving)
    task.join(10)
    assert not task.is_alive() and os.listdir(tmp_path) == []


def test_a_publication_that_fails_leaves_nothing(tmp_path: Path) -> None:
    saving = commit.begin(f"{tmp_path}/out", "new")
    written = save.save_text_partition(saving, 0, ["a"])
    with pytest.raises(FileNotFoundError):
        commit.publish(saving, [written, "never/part-00001"])
    assert os.listdir(tmp_path) == []


def test_a_folder_is_never_written_over(tmp_path: Path) -> None:
    with pytest.raises(FilesError, match=f"Output directory file:{tmp_path} already exists"):
        commit.begin(str(tmp_path), "new")


@pytest.mark.parametrize(
    ("codec", "end"),
    [
        ("org.apache.hadoop.io.compress.GzipCodec", ".gz"),
        ("org.apache.hadoop.io.compress.BZip2Codec", ".bz2"),
        ("org.apache.hadoop.io.compress.DefaultCodec", ".deflate"),
        ("zstd", ".zst"),
    ],
)
def test_compressed_lines_are_read_again(tmp_path: Path, codec: str, end: str) -> None:
    saving = commit.begin(f"{tmp_path}/out", "new")
    lines = [f"line {i}" for i in range(5000)]
    commit.publish(saving, [save.save_text_partition(saving, 0, lines, codec)])
    assert tree(saving.folder) == ["_SUCCESS", "part-00000" + end]
    assert glom(saving.folder, 2) == [lines]
    assert Path(saving.folder, "part-00000" + end).stat().st_size < 30_000


def test_an_unknown_codec_is_named() -> None:
    with pytest.raises(ValueError, match=r"'nope\.Codec'"):
        codecs.end_for("nope.Codec")


@pytest.mark.parametrize("batch", [0, 3, -1])
def test_pickled_rows_come_back(tmp_path: Path, batch: int) -> None:
    saving = commit.begin(f"{tmp_path}/out", "new")
    rows = [("k", i, None, b"\n") for i in range(2500)]
    written = [
        save.save_pickle_partition(saving, 0, rows, batch),
        save.save_pickle_partition(saving, 1, [], batch),
    ]
    commit.publish(saving, written)
    parts = pickled.split(files.find(saving.folder))
    assert [list(read(part)) for part in parts] == [rows, []]


def test_other_files_are_not_unpickled(tmp_path: Path) -> None:
    for name, data, error in (
        ("text", b"cos\nsystem\n", OSError),
        ("sequence", b"SEQ\x06 org.apache.hadoop", NotImplementedError),
        ("empty", b"", OSError),
    ):
        with pytest.raises(error, match=name):
            list(read(PickledPart((put(tmp_path, name, data),))))


def test_damaged_rows_are_noticed(tmp_path: Path) -> None:
    data = b"".join(pickled.frames(range(10)))
    for keep in (len(data) - 3, len(data) - 40):
        with pytest.raises(OSError, match="damaged"):
            list(read(PickledPart((put(tmp_path, "cut", data[:keep]),))))


def test_another_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same through a file system that is not the local one, with roots and URIs."""
    from pyarrow import fs

    below = fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem())
    place = files.Place(below, "", "other://host")
    monkeypatch.setattr(files, "_remote", lambda scheme, authority: place)
    saving = commit.begin("other://host/out", "new")
    commit.publish(saving, [save.save_text_partition(saving, 0, ["a", "b"])])
    found = files.find("other://host/o*")
    assert [each.path for each in found] == ["other://host/out/part-00000"]
    assert glom("other://host/out", 1) == [["a", "b"]]
    (whole_file,) = whole.text_parts(found, 1, True)
    assert list(read(whole_file)) == [("other://host/out/part-00000", "a\nb\n")]
    assert isinstance(records.split(found, 2)[0], RecordsPart)
