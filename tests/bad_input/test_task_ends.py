"""A task that ends its process, or has it ended: tried a few times, then said in one line."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
from bad import here, refused, works

from minispark import JobFailed, SparkContext
from planner import events as ev


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (lambda: os._exit(3), ["exit code 3", "something that the task called ended its process"]),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), ["SIGKILL", "out of memory", "partitions"]),
        (lambda: ctypes.string_at(0), ["SIGSEGV", "native code that the task called crashed"]),
        (lambda: os.abort(), ["SIGABRT", "native code that the task called gave up"]),
        (lambda: os.closerange(3, 100), ["ended its process"]),
    ],
    ids=["exit", "kill", "segfault", "abort", "close"],
)
def test_the_job_ends_and_says_where(
    local_sc: SparkContext, recorder: Any, end: Callable[[], Any], words: list[str]
) -> None:
    words = ["partition 1 of stage", "is given up: it was lost 4 times", "executor worker-", *words]
    with refused(local_sc, JobFailed, *words) as caught:
        rows, site = local_sc.parallelize([0, 1], 2).map(lambda n: n and end()), here()
        rows.collect()
    assert f", map at {site}, is given up" in str(caught.value)
    assert len(recorder.of(ev.ExecutorRemoved)) == 4


def test_once_is_no_failure(local_sc: SparkContext, tmp_path: Any) -> None:
    """A process that dies under a task is replaced, and the task runs again."""
    flag = tmp_path / "was here"

    def dies_once(n: int) -> int:
        if n == 1 and not flag.exists():
            flag.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return n

    assert local_sc.parallelize(range(4), 2).map(dies_once).sum() == 6
    assert flag.exists() and works(local_sc)


def test_ctrl_c_sent_to_a_worker_alone_is_ignored(local_sc: SparkContext) -> None:
    rows = local_sc.parallelize(range(4), 2)
    assert rows.map(lambda n: os.kill(os.getpid(), signal.SIGINT)).count() == 4


def test_a_task_may_fork(local_sc: SparkContext) -> None:
    def in_a_child(n: int) -> int:
        child = os.fork()
        if not child:
            os._exit(n)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    assert local_sc.parallelize(range(4), 2).map(in_a_child).collect() == [0, 1, 2, 3]
    assert works(local_sc)


def test_a_worker_that_dies_idle_is_replaced(local_sc: SparkContext) -> None:
    data = local_sc.parallelize(range(8), 4).cache()
    assert data.sum() == 28
    for process in local_sc._session.executors().values():
        os.kill(process["pid"], signal.SIGKILL)
    assert data.sum() == 28
    assert works(local_sc)
