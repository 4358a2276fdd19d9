"""Cancelling: two seconds later no user code of the job runs, and kept data is still there."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from minispark import JobCancelled, SparkContext

PATIENCE = 2.0  # seconds


class Log:
    """A file to which tasks write when they run."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def tick(self) -> None:
        with open(self.path, "a") as file:
            file.write(f"{time.time()}\n")

    def times(self) -> list[float]:
        if not os.path.exists(self.path):
            return []
        with open(self.path) as file:
            return [float(line) for line in file]


def until(happened: Callable[[], Any], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, f"it did not happen in {seconds} s"
        time.sleep(0.01)


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "log")


@pytest.fixture
def kept(sc: SparkContext) -> Iterator[Callable[[], None]]:
    """A cached dataset; calling this proves that it is still there, whole."""
    seen = sc.accumulator(0)

    def counted(n: int) -> int:
        seen.add(1)
        return n

    data = sc.parallelize(range(40), 4).map(counted).cache()
    assert data.sum() == 780

    def check() -> None:
        assert data.sum() == 780
        assert seen.value == 40, "what had been kept was computed again"

    yield check
    data.unpersist(blocking=True)


def all_slots(sc: SparkContext) -> None:
    """Runs something on every executor at the same time, so none of them does anything else."""
    assert sc.parallelize([1, 2], 2).barrier().mapPartitions(list).collect() == [1, 2]


def sleeps(log: Log) -> Callable[[int], int]:
    def task(n: int) -> int:
        while True:
            log.tick()
            time.sleep(0.01)

    return task


def computes(log: Log) -> Callable[[int], int]:
    def task(n: int) -> int:
        while True:
            log.tick()
            sum(i * i for i in range(1000))

    return task


def catches_exceptions(log: Log) -> Callable[[int], int]:
    def task(n: int) -> int:
        while True:
            try:
                while True:
                    log.tick()
                    time.sleep(0.01)
            except Exception:
                pass

    return task


def catches_everything(log: Log) -> Callable[[int], int]:
    def task(n: int) -> int:
        while True:
            try:
                while True:
                    log.tick()
                    time.sleep(0.01)
            except BaseException:
                pass

    return task


class Asker(threading.Thread):
    """A thread that asks for a job and remembers how it ended."""

    def __init__(self, ask: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self.ask = ask
        self.answer: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.answer = self.ask()
        except BaseException as error:
            self.error = error


def by_group(sc: SparkContext) -> tuple[Callable[[], None], Callable[[], None], str]:
    return lambda: sc.setJobGroup("slow", "endless"), lambda: sc.cancelJobGroup("slow"), "'slow'"


def by_tag(sc: SparkContext) -> tuple[Callable[[], None], Callable[[], None], str]:
    return lambda: sc.addJobTag("slow"), lambda: sc.cancelJobsWithTag("slow"), "'slow'"


def all_of_them(sc: SparkContext) -> tuple[Callable[[], None], Callable[[], None], str]:
    return lambda: None, sc.cancelAllJobs, "all jobs were cancelled"


@pytest.mark.parametrize("way", [by_group, by_tag, all_of_them])
@pytest.mark.parametrize("task", [sleeps, computes, catches_exceptions])
def test_from_another_thread(
    sc: SparkContext, log: Log, kept: Callable[[], None], way: Any, task: Any
) -> None:
    begin, cancel, reason = way(sc)

    def ask() -> Any:
        begin()
        return sc.parallelize(range(8), 4).map(task(log)).sum()

    asker = Asker(ask)
    asker.start()
    until(log.times)
    asked = time.time()
    cancel()
    asker.join(PATIENCE)
    assert isinstance(asker.error, JobCancelled) and reason in str(asker.error)
    assert sc.statusTracker().getActiveJobsIds() == []
    all_slots(sc)
    assert max(log.times()) < asked + PATIENCE
    kept()


def test_ctrl_c(sc: SparkContext, log: Log, kept: Callable[[], None]) -> None:
    def interrupt() -> None:
        until(log.times)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        sc.parallelize(range(8), 4).map(sleeps(log)).sum()
    asked = time.time()
    assert sc.statusTracker().getActiveJobsIds() == []
    all_slots(sc)
    assert max(log.times()) < asked + PATIENCE
    kept()


def test_a_handle(sc: SparkContext, log: Log, kept: Callable[[], None]) -> None:
    if sc.master.startswith("inline"):
        pytest.skip("there a job runs while somebody waits for it, and only then")
    job = sc._session.submit(sc.parallelize(range(8), 4).map(sleeps(log))._node)
    assert job.next(timeout=0.05) is None
    until(log.times)
    asked = time.time()
    job.cancel()
    with pytest.raises(JobCancelled):
        job.next()
    assert job.done
    all_slots(sc)
    assert max(log.times()) < asked + PATIENCE
    kept()


def test_an_iterator_that_nobody_reads_on(
    sc: SparkContext, log: Log, kept: Callable[[], None]
) -> None:
    data = sc.parallelize(range(8), 8).map(lambda n: n if n < 2 else sleeps(log)(n))
    answers = sc._session.run(data._node)
    assert next(answers)[1] in ([0], [1])
    answers.close()
    asked = time.time()
    all_slots(sc)
    assert max(log.times(), default=0.0) < asked + PATIENCE
    kept()


def test_one_that_catches_everything_loses_its_executor(sc: SparkContext, log: Log) -> None:
    """And nothing else: another job that was on the same executor gets its answer."""
    if sc.master.startswith("inline"):
        pytest.skip("its executor is the driver")
    kept = sc.parallelize(range(40), 4).cache()
    assert kept.sum() == 780
    asker = Asker(lambda: sc.parallelize([1], 1).map(catches_everything(log)).sum())
    asker.start()
    until(log.times)
    asked = time.time()
    sc.cancelAllJobs()
    asker.join(PATIENCE)
    assert isinstance(asker.error, JobCancelled)
    assert kept.sum() == 780
    all_slots(sc)
    assert max(log.times()) < asked + PATIENCE


def test_other_jobs_go_on(sc: SparkContext, log: Log, tmp_path: Path) -> None:
    if sc.master.startswith("inline"):
        pytest.skip("one job after the other")
    go = tmp_path / "go"

    def waits(n: int) -> int:
        while not go.exists():
            time.sleep(0.01)
        return n

    def endless() -> Any:
        sc.setJobGroup("slow", "endless")
        return sc.parallelize([1], 1).map(sleeps(log)).sum()

    def patient() -> Any:
        sc.setJobGroup("patient", "waits for a file")
        return sc.parallelize(range(4), 1).map(waits).sum()

    slow, other = Asker(endless), Asker(patient)
    slow.start(), other.start()
    until(log.times)
    until(lambda: len(sc.statusTracker().getActiveJobsIds()) == 2)
    sc.cancelJobGroup("slow")
    slow.join(PATIENCE)
    assert isinstance(slow.error, JobCancelled)
    assert other.is_alive()
    go.touch()
    other.join(10)
    assert (other.answer, other.error) == (6, None)


def test_a_stage_that_two_jobs_share_goes_on_for_the_other(
    sc: SparkContext, log: Log, tmp_path: Path
) -> None:
    if sc.master.startswith("inline"):
        pytest.skip("one job after the other")
    go = tmp_path / "go"

    def waits(n: int) -> tuple[int, int]:
        log.tick()
        while not go.exists():
            time.sleep(0.01)
        return n % 2, n

    sums = sc.parallelize(range(10), 2).map(waits).reduceByKey(lambda a, b: a + b, 2)

    def in_group(name: str) -> Callable[[], Any]:
        def ask() -> Any:
            sc.setJobGroup(name, name)
            return sorted(sums.collect())

        return ask

    one, other = Asker(in_group("one")), Asker(in_group("other"))
    one.start(), other.start()
    until(lambda: len(sc.statusTracker().getActiveJobsIds()) == 2)
    until(lambda: len(log.times()) >= 2)
    sc.cancelJobGroup("one")
    one.join(PATIENCE)
    assert isinstance(one.error, JobCancelled)
    go.touch()
    other.join(10)
    assert (other.answer, other.error) == ([(0, 20), (1, 25)], None)
    assert len(log.times()) == 10, "and nothing of it ran twice"


def test_many_short_jobs_cancelled_at_any_moment(
    sc: SparkContext, kept: Callable[[], None]
) -> None:
    """Before a task has begun, while it runs, when it has ended: nothing but that job is hit."""
    done = cancelled = 0

    def ask() -> None:
        nonlocal done, cancelled
        for _ in range(60):
            try:
                assert sc.parallelize(range(8), 4).map(lambda n: (n % 2, 1)).count() == 8
                done += 1
            except JobCancelled:
                cancelled += 1

    asker = Asker(ask)
    asker.start()
    while asker.is_alive():
        sc.cancelAllJobs()
    assert asker.error is None
    assert done + cancelled == 60
    all_slots(sc)
    kept()


# ---- answers within a time -----------------------------------------------------------------------


def test_an_approximate_answer_leaves_nothing_running(
    sc: SparkContext, log: Log, kept: Callable[[], None]
) -> None:
    if sc.master.startswith("inline"):
        pytest.skip("there a job runs while somebody waits for it, and only then")

    def slow(n: int) -> int:
        log.tick()
        time.sleep(0.01 if n < 10 else 1.0)
        return n

    data = sc.parallelize(range(20), 20).map(slow)  # ten seconds of work on one executor
    began = time.monotonic()
    about = data.countApprox(100)
    assert time.monotonic() - began < 0.3
    asked = time.time()
    assert about <= 40
    all_slots(sc)
    assert max(log.times()) < asked + PATIENCE
    assert sc.statusTracker().getActiveJobsIds() == []
    kept()
