"""Executors die, cached partitions and shuffle blocks vanish: the answer is the same, only what was
lost runs again, and the next job works. On every back end, with real kills."""

from __future__ import annotations

from operator import add

import pytest

from minispark import SparkContext, StorageLevel, chaos
from planner import events as ev

ROWS = list(range(400))
BY_KEY = sorted((k, sum(n for n in ROWS if n % 10 == k)) for k in range(10))


def keyed(sc: SparkContext):
    return sc.parallelize(ROWS, 4).map(lambda n: (n % 10, n))


def full_strength(sc: SparkContext) -> None:
    """Wait until as many executors are there as before, and prove it by a barrier stage."""
    assert sc.parallelize([1, 2], 2).barrier().mapPartitions(lambda rows: rows).collect() == [1, 2]


@pytest.mark.parametrize("at", ["before write", "after write"])
def test_map_side_kill(sc: SparkContext, recorder, at: str) -> None:
    with chaos.kill_executor(at=at, partition=2, when=lambda t: t.writes_shuffle) as fault:
        assert sorted(keyed(sc).reduceByKey(add, 2).collect()) == BY_KEY
    assert fault.count == 1
    (gone,) = recorder.of(ev.ExecutorRemoved)
    again = recorder.ran_again()
    maps = min(stage for stage, _ in recorder.starts())
    assert (maps, 2) in again
    lost = {p for n in recorder.of(ev.Lost) if n.what == "shuffle" for p in [n.partition]}
    assert again == {(maps, 2)} | {(maps, p) for p in lost}
    if not sc.master.startswith("inline"):
        assert not lost, "finished shuffle output outlives its executor"
    assert len(again) < 6
    full_strength(sc)


@pytest.mark.parametrize("at", ["in fetch", "before write", "after write"])
def test_reduce_side_kill(sc: SparkContext, recorder, at: str) -> None:
    with chaos.kill_executor(at=at, partition=1, when=lambda t: t.fetches) as fault:
        assert sorted(keyed(sc).reduceByKey(add, 2).collect()) == BY_KEY
    assert fault.count == 1
    assert len(recorder.of(ev.ExecutorRemoved)) == 1
    maps, reduces = sorted({stage for stage, _ in recorder.starts()})
    again = recorder.ran_again()
    assert (reduces, 1) in again
    if not sc.master.startswith("inline"):
        assert again == {(reduces, 1)}
    assert len(again) < 6
    full_strength(sc)


@pytest.mark.parametrize("at", ["in cache put", "after cache put"])
def test_kill_while_caching(sc: SparkContext, recorder, at: str) -> None:
    data = keyed(sc).cache()
    with chaos.kill_executor(at=at, partition=3) as fault:
        assert sorted(data.reduceByKey(add, 2).collect()) == BY_KEY
    assert fault.count == 1
    assert len(recorder.ran_again()) < 6
    full_strength(sc)
    assert data.count() == 400


def test_a_dead_executor_takes_its_cached_partitions_only(sc: SparkContext, recorder) -> None:
    calls = sc.accumulator(0)

    def counted(n: int) -> int:
        calls.add(1)
        return n

    data = sc.parallelize(ROWS, 4).map(counted).cache()
    assert data.count() == 400 and calls.value == 400
    homes = {
        kept.partition: end.executor
        for end in recorder.of(ev.TaskEnded)
        for kept in end.report.kept
    }
    recorder.clear()
    with chaos.kill_executor(at="before write", partition=0) as fault:
        assert data.sum() == sum(ROWS)
    assert fault.count == 1
    kept = sc._session.persist_id(data._node)
    (gone,) = recorder.of(ev.ExecutorRemoved)
    lost = {n.partition for n in recorder.of(ev.Lost) if (n.what, n.owner) == ("kept", kept)}
    assert lost == {partition for partition, home in homes.items() if home == gone.executor}
    regained = {n.partition for n in recorder.of(ev.Recomputed) if n.what == "kept"}
    assert 0 in regained and regained <= lost
    assert data.sum() == sum(ROWS)
    report = sc._session.recovery.jobs
    assert any(job.executors_lost and job.recomputed for job in report.values())
    full_strength(sc)


def test_a_second_copy_saves_the_work(sc: SparkContext, recorder) -> None:
    calls = sc.accumulator(0)

    def counted(n: int) -> int:
        calls.add(1)
        return n

    data = sc.parallelize(ROWS, 4).map(counted).persist(StorageLevel.MEMORY_ONLY_2)
    assert data.count() == 400 and calls.value == 400
    recorder.clear()
    with chaos.kill_executor(at="before write", partition=0) as fault:
        assert data.sum() == sum(ROWS)
    assert fault.count == 1
    assert calls.value == 400, "a copy was there: nothing had to be computed again"
    kept = sc._session.persist_id(data._node)
    assert not [n for n in recorder.of(ev.Lost) if n.what == "kept" and n.owner == kept]
    full_strength(sc)


def test_a_cached_partition_vanishes_unnoticed(sc: SparkContext, recorder) -> None:
    data = sc.parallelize(ROWS, 4).map(lambda n: n + 1).cache()
    total = data.sum()
    recorder.clear()
    with chaos.drop_cached(data, at="after write", partition=1) as fault:
        assert data.sum() == total  # the drop comes after the task has read it
        assert fault.count == 1
    assert data.sum() == total
    lost = [(n.what, n.partition) for n in recorder.of(ev.Lost)]
    assert ("kept", 1) in lost and len(lost) == 1
    assert [(n.what, n.partition) for n in recorder.of(ev.Recomputed)] == [("kept", 1)]


@pytest.mark.parametrize("at", ["in fetch", "after write"])
def test_a_shuffle_block_vanishes(sc: SparkContext, recorder, at: str) -> None:
    which = (
        {"partition": 1}
        if at == "in fetch"
        else {"partition": 2, "when": lambda t: t.writes_shuffle}
    )
    with chaos.lose_shuffle_block(at=at, **which) as fault:
        assert sorted(keyed(sc).reduceByKey(add, 2).collect()) == BY_KEY
    assert fault.count == 1
    assert not recorder.of(ev.ExecutorRemoved)
    maps, reduces = sorted({stage for stage, _ in recorder.starts()})
    again = recorder.ran_again()
    lost = [n.partition for n in recorder.of(ev.Lost) if n.what == "shuffle"]
    assert len(lost) == 1
    assert {at for at in again if at[0] == maps} == {(maps, lost[0])}
    assert len(again) < 6


def test_accumulators_count_once_whatever_runs_again(sc: SparkContext) -> None:
    seen = sc.accumulator(0)

    def counted(n: int) -> tuple[int, int]:
        seen.add(1)
        return (n % 10, n)

    data = sc.parallelize(ROWS, 4).map(counted)
    with chaos.kill_executor(at="after write", partition=1, when=lambda t: t.writes_shuffle) as f:
        assert sorted(data.reduceByKey(add, 2).collect()) == BY_KEY
    assert f.count == 1
    assert seen.value == 400
    full_strength(sc)


def test_attempts_are_bounded_and_the_next_job_works(sc: SparkContext) -> None:
    lost = pytest.raises(Exception, match="partition 0|killed|SIGKILL|died|lost")
    with chaos.kill_executor(partition=0, attempt=None, times=50) as fault, lost:
        sc.parallelize([1, 2], 2).count()
    assert 2 <= fault.count <= 10
    full_strength(sc)
    assert sc.parallelize(ROWS, 4).sum() == sum(ROWS)


def test_a_failing_task_is_tried_as_often_as_the_master_says(sc: SparkContext) -> None:
    tries = 4 if sc.master.startswith("ray") else 1
    failed = pytest.raises(RuntimeError, match="injected failure")
    with chaos.fail_task(partition=0, attempt=None, times=50) as fault, failed:
        sc.parallelize([1, 2], 2).count()
    assert fault.count == tries


def test_a_fault_that_does_not_match_does_not_fire(sc: SparkContext) -> None:
    with chaos.kill_executor(at="in fetch", partition=0) as fault:
        assert sc.parallelize(ROWS, 4).sum() == sum(ROWS)
    assert fault.count == 0


def test_a_result_that_is_lost_before_it_is_read_is_asked_for_again(sc: SparkContext) -> None:
    rows = sc.range(0, 4, 1, 4).map(lambda n: (n, "x" * 400_000))  # too large for the answer itself
    with chaos.lose_shuffle_block(at="after write", partition=2) as fault:
        assert [n for n, _ in rows.collect()] == [0, 1, 2, 3]
    assert fault.count == 1


def test_nothing_stays_in_the_tables(sc: SparkContext) -> None:
    session = sc._session
    import gc

    gc.collect()
    session._loop.settle()
    tables = session._loop.scheduler.tables()
    assert {name: size for name, size in tables.items() if size} == {}
