"""Cancelling: two seconds later no user code of the job runs, and cached data is still there.

Tasks append the time to a file while they run; what the file says decides.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from minispark import JobCancelled, SparkContext, TaskContext

SOON = 2.0  # seconds after a cancel in which user code may still be seen


def ticking(path: str, how: str):
    """A function that runs for a minute and writes the time into `path` as long as it lives."""

    def tick(n: int) -> int:
        end = time.time() + 60
        while time.time() < end:
            with open(path, "a") as file:
                file.write(f"{time.time()}\n")
            try:
                time.sleep(0.02)
            except Exception:
                if how != "stubborn":
                    raise
            except BaseException:
                if how != "deaf":
                    raise
        return n

    return tick


def wait_until(condition, seconds: float = 30.0) -> None:
    deadline = time.time() + seconds
    while not condition():
        assert time.time() < deadline, "it never came to be"
        time.sleep(0.01)


def last_tick(path: str) -> float:
    with open(path) as file:
        return float(file.read().split()[-1])


@pytest.fixture(params=["plain", "stubborn", "deaf"])
def how(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.parametrize("by", ["group", "tag", "all"])
def test_a_cancelled_job_stops(sc: SparkContext, tmp_path: Path, how: str, by: str) -> None:
    if sc.master.startswith("inline"):
        pytest.skip("virtual workers run in the caller's thread: nobody else can interrupt it")
    if how == "deaf" and by != "group":
        pytest.skip("once is enough")
    made = sc.accumulator(0)

    def make(n: int) -> int:
        made.add(1)
        return n

    kept = sc.parallelize(range(40), 4).map(make).cache()
    assert kept.count() == 40 and made.value == 40
    path = str(tmp_path / "ticks")
    outcome: list[BaseException] = []

    def run() -> None:
        sc.setJobGroup("mine", "ticking", interruptOnCancel=True)
        sc.addJobTag("tagged")
        try:
            sc.parallelize(range(2), 2).map(ticking(path, how)).collect()
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(lambda: os.path.exists(path) and os.path.getsize(path) > 0)
    began = time.time()
    if by == "group":
        sc.cancelJobGroup("mine")
    elif by == "tag":
        sc.cancelJobsWithTag("tagged")
    else:
        sc.cancelAllJobs()
    thread.join(timeout=10)
    assert not thread.is_alive()
    (error,) = outcome
    assert isinstance(error, JobCancelled)
    wait_until(lambda: time.time() > began + SOON)
    assert last_tick(path) < began + SOON
    size = os.path.getsize(path)
    assert kept.count() == 40
    assert os.path.getsize(path) == size, "user code of the job still runs"
    if how != "deaf":  # whose executor had to be ended, with all it kept
        assert made.value == 40, "what was kept is still there"


def test_other_jobs_go_on(sc: SparkContext, tmp_path: Path) -> None:
    if sc.master.startswith("inline"):
        pytest.skip("virtual workers run one job after the other")
    path = str(tmp_path / "ticks")
    answers: list[object] = []

    def cancelled() -> None:
        sc.setJobGroup("one", "ticking")
        with pytest.raises(JobCancelled):
            sc.parallelize([1], 1).map(ticking(path, "plain")).collect()
        answers.append("cancelled")

    def other() -> None:
        sc.setJobGroup("other", "counting")
        answers.append(sc.parallelize(range(100), 4).map(lambda n: n + 1).sum())

    threads = [threading.Thread(target=cancelled), threading.Thread(target=other)]
    threads[0].start()
    wait_until(lambda: os.path.exists(path) and os.path.getsize(path) > 0)
    threads[1].start()
    threads[1].join(timeout=20)
    assert answers == [5050]
    sc.cancelJobGroup("one")
    threads[0].join(timeout=10)
    assert answers == [5050, "cancelled"]


def test_count_approx_answers_in_time_and_leaves_nothing_running(
    sc: SparkContext, tmp_path: Path
) -> None:
    if sc.master.startswith("inline"):
        pytest.skip("virtual workers run in the caller's thread")
    path = str(tmp_path / "ticks")

    def slow(n: int) -> int:
        if TaskContext.get().partitionId() > 0:
            ticking(path, "plain")(n)
        return n

    data = sc.parallelize(range(100), 4).map(slow)
    sc.parallelize([1, 2], 2).count()
    began = time.time()
    data.countApprox(100)
    assert time.time() - began < 0.3 + (0.3 if sc.master.startswith("ray") else 0.0)
    wait_until(lambda: time.time() > began + SOON)
    if os.path.exists(path):
        assert last_tick(path) < began + SOON
    assert sc.parallelize([1, 2], 2).count() == 2
