"""What executors and tasks should be given."""

from __future__ import annotations

from typing import Any, Self

from minispark.settings import parse_size

_MEBI = 1 << 20


class ExecutorResourceRequest:
    """An amount of one resource for every executor.

    Parameters
    ----------
    resourceName : str
    amount : int
        Memory in MiB, everything else in pieces.
    discoveryScript, vendor : str
        How to find it, and who made it.

    Examples
    --------
    >>> ExecutorResourceRequest("gpu", 2).amount
    2
    """

    def __init__(
        self, resourceName: str, amount: int, discoveryScript: str = "", vendor: str = ""
    ) -> None:
        self._name = resourceName
        self._amount = amount
        self._discovery_script = discoveryScript
        self._vendor = vendor

    @property
    def resourceName(self) -> str:
        """Its name.

        >>> ExecutorResourceRequest("gpu", 2).resourceName
        'gpu'
        """
        return self._name

    @property
    def amount(self) -> int:
        """How much of it.

        >>> ExecutorResourceRequest("gpu", 2).amount
        2
        """
        return self._amount

    @property
    def discoveryScript(self) -> str:
        """The script that finds it, or "".

        >>> ExecutorResourceRequest("gpu", 2, "find").discoveryScript
        'find'
        """
        return self._discovery_script

    @property
    def vendor(self) -> str:
        """Who made it, or "".

        >>> ExecutorResourceRequest("gpu", 2, vendor="someone.com").vendor
        'someone.com'
        """
        return self._vendor


class ExecutorResourceRequests:
    """What every executor should be given; methods can be chained.

    Examples
    --------
    >>> wanted = ExecutorResourceRequests().cores(2).memory("6g").resource("gpu", 1)
    >>> {name: request.amount for name, request in wanted.requests.items()}
    {'cores': 2, 'memory': 6144, 'gpu': 1}
    """

    _CORES = "cores"
    _MEMORY = "memory"
    _OVERHEAD_MEM = "memoryOverhead"
    _PYSPARK_MEM = "pyspark.memory"
    _OFFHEAP_MEM = "offHeap"

    def __init__(
        self, _jvm: Any = None, _requests: dict[str, ExecutorResourceRequest] | None = None
    ) -> None:
        self._executor_resources = dict(_requests or {})

    def _memory(self, name: str, amount: str) -> Self:
        mebibytes = parse_size(amount, "m") // _MEBI
        self._executor_resources[name] = ExecutorResourceRequest(name, mebibytes)
        return self

    def memory(self, amount: str) -> Self:
        """Memory for rows: "512m", "2g"; a bare number is MiB.

        >>> ExecutorResourceRequests().memory("2g").requests["memory"].amount
        2048
        """
        return self._memory(self._MEMORY, amount)

    def memoryOverhead(self, amount: str) -> Self:
        """Memory for everything else.

        >>> ExecutorResourceRequests().memoryOverhead("1g").requests["memoryOverhead"].amount
        1024
        """
        return self._memory(self._OVERHEAD_MEM, amount)

    def pysparkMemory(self, amount: str) -> Self:
        """Memory of the Python process.

        >>> ExecutorResourceRequests().pysparkMemory("1g").requests["pyspark.memory"].amount
        1024
        """
        return self._memory(self._PYSPARK_MEM, amount)

    def offheapMemory(self, amount: str) -> Self:
        """Memory outside of processes.

        >>> ExecutorResourceRequests().offheapMemory("1g").requests["offHeap"].amount
        1024
        """
        return self._memory(self._OFFHEAP_MEM, amount)

    def cores(self, amount: int) -> Self:
        """Number of cores.

        >>> ExecutorResourceRequests().cores(4).requests["cores"].amount
        4
        """
        self._executor_resources[self._CORES] = ExecutorResourceRequest(self._CORES, amount)
        return self

    def resource(
        self, resourceName: str, amount: int, discoveryScript: str = "", vendor: str = ""
    ) -> Self:
        """Any other resource.

        >>> ExecutorResourceRequests().resource("gpu", 1).requests["gpu"].amount
        1
        """
        self._executor_resources[resourceName] = ExecutorResourceRequest(
            resourceName, amount, discoveryScript, vendor
        )
        return self

    @property
    def requests(self) -> dict[str, ExecutorResourceRequest]:
        """All of them by name.

        >>> list(ExecutorResourceRequests().cores(4).requests)
        ['cores']
        """
        return self._executor_resources


class TaskResourceRequest:
    """An amount of one resource for every task.

    Parameters
    ----------
    resourceName : str
    amount : float
        0.5 lets two tasks share one.

    Raises
    ------
    ValueError
        The amount makes no sense: cpus at most zero, or another resource that is neither at most
        a half nor a whole number.

    Examples
    --------
    >>> TaskResourceRequest("gpu", 0.5).amount
    0.5
    """

    def __init__(self, resourceName: str, amount: float) -> None:
        self._name = resourceName
        self._amount = float(amount)
        if resourceName == TaskResourceRequests._CPUS:
            if not 1e-9 <= self._amount <= (1 << 31) - 1:
                raise ValueError(f"the number of cpus of a task cannot be {amount}")
        elif self._amount > 0.5 and not self._amount.is_integer():
            raise ValueError(
                f"the amount of {resourceName!r} for a task must be at most 0.5 or whole: {amount}"
            )

    @property
    def resourceName(self) -> str:
        """Its name.

        >>> TaskResourceRequest("gpu", 1).resourceName
        'gpu'
        """
        return self._name

    @property
    def amount(self) -> float:
        """How much of it.

        >>> TaskResourceRequest("gpu", 1).amount
        1.0
        """
        return self._amount


class TaskResourceRequests:
    """What every task should be given; methods can be chained.

    Examples
    --------
    >>> wanted = TaskResourceRequests().cpus(2).resource("gpu", 0.5)
    >>> {name: request.amount for name, request in wanted.requests.items()}
    {'cpus': 2.0, 'gpu': 0.5}
    """

    _CPUS = "cpus"

    def __init__(
        self, _jvm: Any = None, _requests: dict[str, TaskResourceRequest] | None = None
    ) -> None:
        self._task_resources = dict(_requests or {})

    def cpus(self, amount: float) -> Self:
        """Number of cores; may be a fraction.

        >>> TaskResourceRequests().cpus(1.5).requests["cpus"].amount
        1.5
        """
        self._task_resources[self._CPUS] = TaskResourceRequest(self._CPUS, amount)
        return self

    def resource(self, resourceName: str, amount: float) -> Self:
        """Any other resource: at most 0.5, or whole.

        >>> TaskResourceRequests().resource("gpu", 1).requests["gpu"].amount
        1.0
        """
        self._task_resources[resourceName] = TaskResourceRequest(resourceName, amount)
        return self

    @property
    def requests(self) -> dict[str, TaskResourceRequest]:
        """All of them by name.

        >>> list(TaskResourceRequests().cpus(1).requests)
        ['cpus']
        """
        return self._task_resources
