"""Every storage level: where its bytes are, and what is dropped when they do not fit."""

from __future__ import annotations

import pytest
from contexts import make_context

from minispark import SparkContext, StorageLevel
from planner import events as ev

FORMS = {
    "MEMORY_ONLY": {"live"},
    "MEMORY_ONLY_2": {"live", "pickled"},
    "MEMORY_AND_DISK": {"live"},
    "MEMORY_AND_DISK_2": {"live", "pickled"},
    "MEMORY_AND_DISK_DESER": {"live"},
    "DISK_ONLY": {"disk-file"},
    "DISK_ONLY_2": {"disk-file"},
    "DISK_ONLY_3": {"disk-file"},
    "OFF_HEAP": {"memory-file"},
}


def homes(sc: SparkContext, data) -> dict[int, dict[str, str]]:
    """partition -> home -> form of every copy the driver knows of."""
    persist = sc._session.persist_id(data._node)
    table = sc._session._loop.scheduler.kept.homes
    return {
        partition: {home: kept.form for home, kept in copies.items()}
        for (owner, partition), copies in table.items()
        if owner == persist
    }


@pytest.mark.parametrize("name", FORMS)
def test_where_the_bytes_are(sc: SparkContext, name: str) -> None:
    level = getattr(StorageLevel, name)
    calls = sc.accumulator(0)

    def made(n: int) -> tuple[int, str]:
        calls.add(1)
        return (n, "x" * 50)

    data = sc.parallelize(range(200), 4).map(made).persist(level)
    expected = [(n, "x" * 50) for n in range(200)]
    assert data.collect() == expected
    found = homes(sc, data)
    assert sorted(found) == [0, 1, 2, 3]
    assert {form for copies in found.values() for form in copies.values()} == FORMS[name]
    if level.useMemory and not level.useOffHeap:
        copies = min(level.replication, 2)  # there are two executors
        assert all(len(homes_) == copies for homes_ in found.values())
    assert data.collect() == expected
    assert calls.value == 200, "what is kept is not computed again"
    assert data.getStorageLevel() == level
    data.unpersist(blocking=True)
    assert homes(sc, data) == {}
    assert data.count() == 200
    assert calls.value == 400


def test_what_does_not_fit_is_computed_again(request: pytest.FixtureRequest) -> None:
    sc = make_context("local[2]", request, **{"spark.executor.memory": "8m"})
    try:
        calls = sc.accumulator(0)

        def made(n: int) -> str:
            calls.add(1)
            return f"{n:0>400}"

        data = sc.range(0, 80_000, 1, 16).map(made).cache()  # 36 MB of strings; 16 MB of budget
        total = sum(400 for _ in range(80_000))
        assert data.map(len).sum() == total
        assert calls.value == 80_000
        assert data.map(len).sum() == total
        assert 80_000 < calls.value < 160_000, "some of it fits, the rest is computed again"
        data.unpersist()
        calls.value = 0
        on_disk = sc.range(0, 80_000, 1, 16).map(made).persist(StorageLevel.MEMORY_AND_DISK)
        assert on_disk.map(len).sum() == total
        assert on_disk.map(len).sum() == total
        assert calls.value == 80_000, "what does not fit in memory is on disk"
        forms = {form for copies in homes(sc, on_disk).values() for form in copies.values()}
        assert "disk-file" in forms
    finally:
        sc.stop()


def test_a_function_that_changes_its_rows_gets_copies(local_sc: SparkContext) -> None:
    sc = local_sc
    data = sc.parallelize([[n] for n in range(8)], 2).cache()
    data.count()

    def grow(row: list[int]) -> int:
        row.append(0)
        return len(row)

    with pytest.warns(RuntimeWarning, match="changed its rows in place"):
        assert data.map(grow).collect() == [2] * 8
    for _ in range(3):
        assert data.map(grow).collect() == [2] * 8, "each pass sees the rows as they were made"


def test_kept_arrays_may_be_written_to_all_the_same(local_sc: SparkContext) -> None:
    numpy = pytest.importorskip("numpy")
    sc = local_sc
    data = sc.range(0, 4, 1, 2).map(lambda n: numpy.full(3, float(n))).cache()
    data.count()

    def double(row):
        row *= 2
        return float(row.sum())

    for _ in range(3):
        assert data.map(double).collect() == [0.0, 6.0, 12.0, 18.0]


def test_dropping_the_handle_frees_what_it_kept(sc: SparkContext, recorder) -> None:
    import gc

    data = sc.parallelize(range(100), 4).map(lambda n: (n % 3, n)).cache()
    sums = data.reduceByKey(lambda a, b: a + b, 2)
    assert sums.count() == 3
    scheduler = sc._session._loop.scheduler
    assert scheduler.outputs and scheduler.kept.homes
    del data, sums
    gc.collect()
    sc._session._loop.settle()
    assert not scheduler.outputs and not scheduler.kept.homes
    assert not recorder.of(ev.ExecutorRemoved)
