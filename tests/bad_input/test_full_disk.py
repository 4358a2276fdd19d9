"""Disks that fill up while the engine spills, keeps or saves: one clear line, and nothing left."""

from __future__ import annotations

import errno
import gc
import os
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from bad import refused, run_script, until, works
from contexts import make_context

from minispark import JobFailed, SparkContext, StorageLevel

SMALL = 8 << 20
ROOT_ONLY = "mounting a small disk needs root"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A file system of 8 MB."""
    folder = str(tmp_path_factory.mktemp("small"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", folder]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip(ROOT_ONLY)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture(scope="module")
def sc(request: pytest.FixtureRequest, small: str) -> Iterator[SparkContext]:
    """Executors that have little memory, and little disk below it."""
    settings = {"spark.local.dir": small, "spark.executor.memory": "2m"}
    context = make_context("local[2]", request, **settings)
    yield context
    context.stop()
    assert os.listdir(small) == []


def noise(n: int) -> bytes:
    """100 kB that no codec makes smaller."""
    return os.urandom(100_000)


def free(folder: str) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


FULL = ["a task could not write its output", "No space left on device", "spark.local.dir"]


def test_a_shuffle(sc: SparkContext, small: str) -> None:
    before = free(small)
    pairs = sc.parallelize(range(200), 4).map(lambda n: (n, noise(n)))
    with refused(sc, JobFailed, *FULL, "partition ", "partitionBy at test_full_disk.py:"):
        pairs.partitionBy(3).count()
    until(lambda: free(small) == before)  # what was written before it failed goes


def test_a_group_that_spills(sc: SparkContext, small: str) -> None:
    before = free(small)
    pairs = sc.parallelize(range(4), 4).flatMap(lambda n: [(i, noise(i)) for i in range(50)])
    with refused(sc, JobFailed, *FULL):
        pairs.groupByKey(1).mapValues(len).collect()
    until(lambda: free(small) == before)


def test_a_sort_that_spills(sc: SparkContext, small: str) -> None:
    before = free(small)
    rows = sc.parallelize(range(200), 4).map(noise)
    with refused(sc, JobFailed, *FULL):
        rows.sortBy(lambda row: row, numPartitions=1).count()
    until(lambda: free(small) == before)


def test_what_a_failed_task_spilled_goes_with_it(sc: SparkContext, small: str) -> None:
    before = free(small)

    def noisy(n: int) -> bytes:
        if n < 70_000:
            return os.urandom(60)
        gc.disable()  # what the error keeps alive is not collected
        error = ValueError(f"{before - free(small)} bytes of it are spilled")
        error.itself = error  # type: ignore[attr-defined]
        raise error

    rows = sc.parallelize(range(80_000), 1).map(noisy)
    with pytest.raises(ValueError, match=r"^[1-9]\d{6} bytes of it are spilled"):
        rows.sortBy(lambda row: row, numPartitions=1).count()
    until(lambda: free(small) == before)
    sc.parallelize(range(4), 4).foreach(lambda n: gc.enable())


def test_a_result(sc: SparkContext, small: str) -> None:
    before = free(small)
    with refused(sc, JobFailed, *FULL, "map at test_full_disk.py"):
        sc.parallelize(range(4), 4).map(lambda n: os.urandom(12 << 20)).collect()
    until(lambda: free(small) == before)


@pytest.mark.parametrize("level", ["DISK_ONLY", "MEMORY_AND_DISK", "OFF_HEAP", "DISK_ONLY_2"])
def test_what_cannot_be_kept_is_computed_again(sc: SparkContext, small: str, level: str) -> None:
    before, seen = free(small), sc.accumulator(0)

    def counted(n: int) -> tuple[int, bytes]:
        seen.add(1)
        return n, noise(n)

    data = sc.parallelize(range(200), 8).map(counted).persist(getattr(StorageLevel, level))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        assert data.keys().sum() == 19900
    assert seen.value == 200
    messages = [str(each.message) for each in told]
    assert any("cannot be written to" in message for message in messages), messages
    assert any("No space left on device" in message for message in messages)
    assert any("persist at test_full_disk.py" in m or "map at test_full" in m for m in messages)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert data.keys().sum() == 19900
    assert 200 < seen.value <= 400
    data.unpersist(blocking=True)
    assert works(sc)
    until(lambda: free(small) == before)


@pytest.mark.parametrize("method", ["saveAsTextFile", "saveAsPickleFile"])
def test_saving(sc: SparkContext, small: str, method: str) -> None:
    before, target = free(small), os.path.join(small, "out")
    rows = sc.parallelize(range(200), 4).map(lambda n: os.urandom(50_000).hex())
    with refused(
        sc, OSError, "No space left on device", f"{method} at test_full_disk.py"
    ) as caught:
        getattr(rows, method)(target)
    assert caught.value.errno in (errno.ENOSPC, None)
    assert not os.path.exists(target)
    until(lambda: free(small) == before)
    sc.parallelize(range(3), 1).saveAsTextFile(target)
    assert sc.textFile(target).collect() == ["0", "1", "2"]
    shutil.rmtree(target)


def test_what_the_driver_cannot_place(sc: SparkContext, small: str) -> None:
    before = free(small)
    words = ["No space left on device", "spark.local.dir", "broadcast at test_full_disk.py"]
    with refused(sc, OSError, *words):
        sc.broadcast(os.urandom(32 << 20))
    until(lambda: free(small) == before)


# ---- the memory-backed folder --------------------------------------------------------------------


@pytest.fixture
def no_memory_folder(
    request: pytest.FixtureRequest, small: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SparkContext]:
    """Executors with room on disk, whose memory-backed folder is small."""
    monkeypatch.setattr("executors.local.memory_root", lambda: small)
    context = make_context("local[2]", request, **{"spark.executor.memory": "1g"})
    yield context
    context.stop()


def test_a_full_memory_folder_falls_back_to_disk(no_memory_folder: SparkContext) -> None:
    sc = no_memory_folder
    pairs = sc.parallelize(range(200), 4).map(lambda n: (n % 10, noise(n)))
    sizes = pairs.groupByKey(3).mapValues(lambda rows: sum(map(len, rows))).collect()
    assert sorted(sizes) == [(key, 2_000_000) for key in range(10)]
    assert sum(len(row) for row in pairs.values().collect()) == 20_000_000
    table = sc.broadcast(os.urandom(12 << 20))
    assert sc.parallelize([1, 2], 2).map(lambda n: len(table.value)).sum() == 24 << 20
    kept = pairs.persist(StorageLevel.OFF_HEAP)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert kept.count() == 200 == kept.count()


# ---- without root: a limit on the size of files --------------------------------------------------


def test_files_that_may_not_grow(tmp_path: Path) -> None:
    code, out, err = run_script(
        tmp_path,
        """
import os, resource
from minispark import SparkConf, SparkContext

resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, 1 << 19))
sc = SparkContext("local[2]", "x", conf=SparkConf().set("spark.local.dir", "local"))
rows = sc.parallelize(range(40), 4).map(lambda n: os.urandom(100_000))
for ask in (
    lambda: rows.map(lambda row: (row, 1)).partitionBy(2).count(),
    lambda: rows.map(bytes.hex).saveAsTextFile("out"),
):
    try:
        ask()
    except Exception as error:
        print(type(error).__name__, "File too large" in str(error), os.path.exists("out"))
print(sc.parallelize(range(10), 2).sum())
sc.stop()
print(os.listdir("local"))
""",
    )
    lines = ["JobFailed True False", "OSError True False", "45", "[]"]
    assert (code, out.splitlines()) == (0, lines), err
