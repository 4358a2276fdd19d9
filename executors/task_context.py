"""What a running task knows about itself, and how tasks of a barrier stage meet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any, ClassVar, Self


class ResourceInformation:
    """A kind of resource and the addresses of those that can be used.

    Parameters
    ----------
    name : str
        The kind: "gpu", say.
    addresses : list of str
        What they are called: the indices of GPUs, say.

    Examples
    --------
    >>> ResourceInformation("gpu", ["0", "1"]).addresses
    ['0', '1']
    """

    def __init__(self, name: str, addresses: list[str]) -> None:
        self._name = name
        self._addresses = addresses

    @property
    def name(self) -> str:
        """The kind of resource.

        >>> ResourceInformation("gpu", ["0"]).name
        'gpu'
        """
        return self._name

    @property
    def addresses(self) -> list[str]:
        """What they are called.

        >>> ResourceInformation("gpu", ["0"]).addresses
        ['0']
        """
        return self._addresses

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ResourceInformation):
            return NotImplemented
        return (self._name, self._addresses) == (other._name, other._addresses)

    def __hash__(self) -> int:
        return hash((self._name, tuple(self._addresses)))

    def __repr__(self) -> str:
        return f"ResourceInformation({self._name!r}, {self._addresses!r})"


class TaskContext:
    """The task that runs in this process: who it is and what it was given.

    User code asks for it with `TaskContext.get()`; the worker makes it.

    Parameters
    ----------
    stageId, partitionId, attemptNumber, taskAttemptId : int
        `attemptNumber` counts the attempts at this partition from 0; `taskAttemptId` is never used
        twice in a session.
    cpus, cpuAmount : int, Decimal
        Cores given to the task; the amount, if given, is the exact one.
    resources : mapping of str to ResourceInformation
    localProperties : mapping of str to str
        The job's properties, set with `SparkContext.setLocalProperty`.

    Examples
    --------
    >>> def where(rows):
    ...     task = TaskContext.get()
    ...     return [(task.partitionId(), task.attemptNumber(), sum(rows))]
    >>> sc.parallelize([1, 2, 3, 4], 2).mapPartitions(where).collect()
    [(0, 0, 3), (1, 0, 7)]
    """

    _taskContext: ClassVar[TaskContext | None] = None

    def __init__(
        self,
        *,
        stageId: int = 0,
        partitionId: int = 0,
        attemptNumber: int = 0,
        taskAttemptId: int = 0,
        cpus: int = 1,
        cpuAmount: Decimal | None = None,
        resources: Mapping[str, ResourceInformation] | None = None,
        localProperties: Mapping[str, str] | None = None,
    ) -> None:
        self._stageId = stageId
        self._partitionId = partitionId
        self._attemptNumber = attemptNumber
        self._taskAttemptId = taskAttemptId
        self._cpuAmount = Decimal(cpus) if cpuAmount is None else cpuAmount
        self._resources = dict(resources or {})
        self._localProperties = dict(localProperties or {})

    @classmethod
    def get(cls) -> Self | None:
        """The task that runs now; None on the driver.

        >>> TaskContext.get() is None
        True
        """
        found = TaskContext._taskContext
        return found if isinstance(found, cls) else None

    @classmethod
    def from_json(cls, json: Mapping[str, Any]) -> Self:
        """A context of what a dict says, with the names of the parameters as keys.

        >>> task = TaskContext.from_json({"partitionId": 3, "cpus": 2})
        >>> task.partitionId(), task.cpus()
        (3, 2)
        """
        names = ("stageId", "partitionId", "attemptNumber", "taskAttemptId", "localProperties")
        known = {name: json[name] for name in (*names, "cpus") if name in json}
        if "cpuAmount" in json:
            known["cpuAmount"] = Decimal(json["cpuAmount"])
        if "resources" in json:
            known["resources"] = {
                name: ResourceInformation(about["name"], about["addresses"])
                for name, about in json["resources"].items()
            }
        return cls(**known)

    @classmethod
    def _setTaskContext(cls, context: TaskContext | None) -> None:
        """Called by the worker when a task begins and, with None, when it has ended."""
        TaskContext._taskContext = context

    def stageId(self) -> int:
        """The number of the stage this task belongs to.

        >>> stages = sc.range(2).map(lambda _: TaskContext.get().stageId()).distinct().count()
        >>> stages
        1
        """
        return self._stageId

    def partitionId(self) -> int:
        """The index of the partition that this task computes.

        >>> sc.range(3, numSlices=3).map(lambda _: TaskContext.get().partitionId()).collect()
        [0, 1, 2]
        """
        return self._partitionId

    def attemptNumber(self) -> int:
        """How often this partition was tried before: 0 for the first attempt.

        >>> sc.range(1, numSlices=1).map(lambda _: TaskContext.get().attemptNumber()).first()
        0
        """
        return self._attemptNumber

    def taskAttemptId(self) -> int:
        """A number that no other attempt of any task of the session has.

        >>> ids = sc.range(4, numSlices=4).map(lambda _: TaskContext.get().taskAttemptId())
        >>> len(set(ids.collect()))
        4
        """
        return self._taskAttemptId

    def getLocalProperty(self, key: str) -> str | None:
        """A property that the driver's thread had set when it asked for the job; None if unset.

        >>> sc.setLocalProperty("colour", "red")
        >>> sc.range(1).map(lambda _: TaskContext.get().getLocalProperty("colour")).first()
        'red'
        >>> sc.setLocalProperty("colour", None)
        """
        return self._localProperties.get(key)

    def cpus(self) -> int:
        """Cores given to the task, rounded up to a whole number.

        >>> sc.range(1, numSlices=1).map(lambda _: TaskContext.get().cpus()).first()
        1
        """
        return int(self._cpuAmount.to_integral_value(ROUND_CEILING))

    def cpuAmount(self) -> Decimal:
        """Cores given to the task, exactly.

        >>> sc.range(1, numSlices=1).map(lambda _: TaskContext.get().cpuAmount()).first()
        Decimal('1')
        """
        return self._cpuAmount

    def resources(self) -> dict[str, ResourceInformation]:
        """Other resources given to the task (a GPU's address, say), by name.

        >>> sc.range(1, numSlices=1).map(lambda _: TaskContext.get().resources()).first()
        {}
        """
        return self._resources


@dataclass(frozen=True)
class BarrierTaskInfo:
    """A task of a barrier stage, as its peers see it.

    Parameters
    ----------
    address : str
        `host:port` of the executor that runs the task.
    """

    address: str


class BarrierTaskContext(TaskContext):
    """A TaskContext whose tasks all run at the same time and can wait for each other.

    Parameters
    ----------
    call : callable
        Given by the worker: takes this task's `(kind, message)`, waits for all tasks of the stage,
        and gives everybody's in partition order.
    addresses : sequence of str
        `host:port` of every task's executor, in partition order.
    **known
        As for TaskContext.

    Examples
    --------
    >>> def meet(rows):
    ...     task = BarrierTaskContext.get()
    ...     return [task.allGather(f"{task.partitionId()} has {sum(rows)}")]
    >>> sc.parallelize([1, 2], 2).barrier().mapPartitions(meet).collect()
    [['0 has 1', '1 has 2'], ['0 has 1', '1 has 2']]
    """

    def __init__(
        self,
        *,
        call: Callable[[tuple[str, str]], Sequence[tuple[str, str]]] | None = None,
        addresses: Sequence[str] = (),
        **known: Any,
    ) -> None:
        super().__init__(**known)
        self._call = call
        self._addresses = tuple(addresses)

    @classmethod
    def get(cls) -> Self:
        """The barrier task that runs now.

        Raises
        ------
        RuntimeError
            No task runs in this process, or its stage is not a barrier stage.

        Examples
        --------
        >>> BarrierTaskContext.get()
        Traceback (most recent call last):
        RuntimeError: [NOT_IN_BARRIER_STAGE] no task of a barrier stage runs here
        """
        found = TaskContext._taskContext
        if not isinstance(found, cls):
            raise RuntimeError(  # noqa: TRY004
                "[NOT_IN_BARRIER_STAGE] no task of a barrier stage runs here"
            )
        return found

    def barrier(self) -> None:
        """Wait until every task of the stage has called this.

        All tasks must call it equally often, or the stage never ends.

        >>> def wait(rows):
        ...     BarrierTaskContext.get().barrier()
        ...     return rows
        >>> sc.parallelize([1, 2], 2).barrier().mapPartitions(wait).collect()
        [1, 2]
        """
        self._meet("barrier", "")

    def allGather(self, message: str = "") -> list[str]:
        """Wait for every task of the stage, and give all their messages in partition order.

        Raises
        ------
        TypeError
            `message` is not a str.

        Examples
        --------
        >>> def sizes(rows):
        ...     return [BarrierTaskContext.get().allGather(str(len(list(rows))))]
        >>> sc.parallelize([1, 2, 3], 2).barrier().mapPartitions(sizes).collect()
        [['1', '2'], ['1', '2']]
        """
        if not isinstance(message, str):
            raise TypeError(f"The message of allGather is a str, not {type(message).__name__}.")
        return self._meet("allGather", message)

    def getTaskInfos(self) -> list[BarrierTaskInfo]:
        """Where all tasks of the stage run, in partition order.

        >>> def peers(rows):
        ...     return [len(BarrierTaskContext.get().getTaskInfos())]
        >>> sc.parallelize([1, 2], 2).barrier().mapPartitions(peers).collect()
        [2, 2]
        """
        return [BarrierTaskInfo(address) for address in self._addresses]

    def _meet(self, kind: str, message: str) -> list[str]:
        if self._call is None:
            raise RuntimeError(f"[CALL_BEFORE_INITIALIZE] {kind}() outside a running barrier task")
        answers = self._call((kind, message))
        others = {other for other, _ in answers} - {kind}
        if others:
            raise RuntimeError(
                f"this task called {kind}() while another one of its barrier stage called "
                f"{others.pop()}(): all tasks must make the same calls"
            )
        return [text for _, text in answers]
