"""TaskContext and BarrierTaskContext: who a task is, and how tasks of a barrier stage meet."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from minispark import BarrierTaskContext, SparkContext, TaskContext


def test_the_driver_is_no_task(sc: SparkContext) -> None:
    sc.range(2).collect()
    assert TaskContext.get() is None
    with pytest.raises(RuntimeError, match="NOT_IN_BARRIER_STAGE"):
        BarrierTaskContext.get()


def test_what_a_task_knows(sc: SparkContext) -> None:
    def know(_: int) -> Any:
        task = TaskContext.get()
        assert task is not None
        return (
            task.stageId(),
            task.partitionId(),
            task.attemptNumber(),
            task.taskAttemptId(),
            task.cpus(),
            task.cpuAmount(),
            task.resources(),
            task.getLocalProperty("colour"),
        )

    sc.setLocalProperty("colour", "red")
    rows = sc.range(3, numSlices=3).map(know).collect()
    sc.setLocalProperty("colour", None)
    assert len({row[0] for row in rows}) == 1
    assert [row[1] for row in rows] == [0, 1, 2]
    assert len({row[3] for row in rows}) == 3
    assert {(*row[2:3], *row[4:6], row[7]) for row in rows} == {(0, 1, Decimal(1), "red")}
    assert rows[0][6] == {}
    assert sc.range(1).map(know).first()[0] > rows[0][0]


def test_tasks_of_a_barrier_stage_meet(sc: SparkContext) -> None:
    def meet(rows: Any) -> Any:
        task = BarrierTaskContext.get()
        assert TaskContext.get() is task
        task.barrier()
        mine = f"{task.partitionId()}:{sum(rows)}"
        addresses = [info.address for info in task.getTaskInfos()]
        return [(task.allGather(mine), task.allGather(), addresses)]

    first, second = sc.parallelize([1, 2, 3], 2).barrier().mapPartitions(meet).collect()
    assert first == second
    assert first[0] == ["0:1", "1:5"]
    assert first[1] == ["", ""]
    assert all(":" in address for address in first[2])
    assert len(first[2]) == 2


def test_a_barrier_stage_that_does_not_agree(sc: SparkContext) -> None:
    def disagree(rows: Any) -> Any:
        task = BarrierTaskContext.get()
        if task.partitionId():
            task.barrier()
        else:
            task.allGather("x")
        return rows

    with pytest.raises(RuntimeError, match="all tasks must make the same calls"):
        sc.parallelize([1, 2], 2).barrier().mapPartitions(disagree).collect()


def test_from_json() -> None:
    about = {
        "stageId": 1,
        "partitionId": 2,
        "attemptNumber": 3,
        "taskAttemptId": 4,
        "cpus": 2,
        "cpuAmount": "1.5",
        "resources": {"gpu": {"name": "gpu", "addresses": ["0"]}},
        "localProperties": {"a": "b"},
    }
    for kind in (TaskContext, BarrierTaskContext):
        task = kind.from_json(about)
        assert (task.stageId(), task.partitionId(), task.attemptNumber()) == (1, 2, 3)
        assert (task.taskAttemptId(), task.cpus(), task.cpuAmount()) == (4, 2, Decimal("1.5"))
        assert task.resources()["gpu"].addresses == ["0"]
        assert task.getLocalProperty("a") == "b"


def test_wrong_uses(sc: SparkContext) -> None:
    def not_a_str(rows: Any) -> Any:
        return BarrierTaskContext.get().allGather(5)  # type: ignore[arg-type]

    with pytest.raises(TypeError, match="a str, not int"):
        sc.parallelize([1], 1).barrier().mapPartitions(not_a_str).collect()
    with pytest.raises(RuntimeError, match="NOT_IN_BARRIER_STAGE"):
        sc.range(1).map(lambda _: BarrierTaskContext.get().partitionId()).collect()
    with pytest.raises(RuntimeError, match="outside a running barrier task"):
        BarrierTaskContext().barrier()
