"""What the scheduler is told (events), what it asks for (actions), what listeners hear (notices).

All of them are frozen values. A recorded list of events, handed to a new scheduler, gives the same
actions again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from planner.blocks import Block, MapOutput, Slice
from planner.failures import Failure
from planner.sources import Part
from planner.stages import Stage

# ---- names ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TaskId:
    """Attempt `attempt` at partition `partition` of stage `stage`; `number` is never used twice."""

    number: int
    stage: int
    partition: int
    attempt: int


@dataclass(frozen=True, eq=False)
class Job:
    """A question: these partitions of the result stage, each named once."""

    id: int
    stage: Stage
    partitions: tuple[int, ...]
    description: str = ""
    group: str | None = None
    tags: frozenset[str] = frozenset()
    properties: tuple[tuple[str, str], ...] = ()
    keep_result: bool = False  # the rows stay with the executors as blocks (local checkpoint)


@dataclass(frozen=True)
class KeptPartition:
    """Partition `partition` of kept dataset `persist` now has a copy at `home`.

    `home` is an executor, or a node where any executor of that node can read it (`shared` says
    how). `form` is live, pickled, memory-file or disk-file.
    """

    persist: int
    partition: int
    home: str
    form: str
    bytes: int
    shared: Any = None
    wanted_copies: int = 1
    replica: Block | None = None  # the pickled rows, for further copies


@dataclass(frozen=True)
class TaskReport:
    """What a finished task has to say besides its output."""

    seconds: float = 0.0
    rows_in: int = 0
    rows_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    kept: tuple[KeptPartition, ...] = ()
    dropped: tuple[tuple[int, int], ...] = ()
    updates: dict[int, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    faults: tuple[int, ...] = ()  # tokens of injected faults that went off


# ---- events --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Event:
    """Something that happened."""


@dataclass(frozen=True)
class ExecutorsAwaited(Event):
    """So many executors are being started: jobs may wait for them."""

    number: int


@dataclass(frozen=True)
class ExecutorUp(Event):
    executor: str
    node: str


@dataclass(frozen=True)
class ExecutorDown(Event):
    """An executor is gone; with `node_lost` its whole node and every block on it."""

    executor: str
    reason: str
    node_lost: bool = False
    replaced: bool = True  # whether another one is being started


@dataclass(frozen=True)
class JobAsked(Event):
    job: Job


@dataclass(frozen=True)
class CancelAsked(Event):
    """End these jobs now, with this failure."""

    jobs: tuple[int, ...]
    failure: Failure


@dataclass(frozen=True)
class TaskDone(Event):
    """`output` for a map stage, `result` (the back end's handle of the rows) for a result stage."""

    task: TaskId
    executor: str
    output: MapOutput | None = None
    result: Any = None
    report: TaskReport = TaskReport()


@dataclass(frozen=True)
class TaskFailed(Event):
    task: TaskId
    executor: str
    failure: Failure
    report: TaskReport = TaskReport()


@dataclass(frozen=True)
class BarrierCall(Event):
    """A task of a barrier stage waits for all the others, and brings a message."""

    task: TaskId
    message: Any


@dataclass(frozen=True)
class CopyDone(Event):
    """A further copy of a kept partition was made (or could not be: `kept` None)."""

    persist: int
    partition: int
    executor: str
    kept: KeptPartition | None


@dataclass(frozen=True)
class Released(Event):
    """These nodes (exchanges) or persist ids are no longer reachable."""

    exchanges: tuple[int, ...] = ()
    persists: tuple[int, ...] = ()


@dataclass(frozen=True)
class KeepAsked(Event):
    """The user wants this dataset kept from now on."""

    persist: int


# ---- actions -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Action:
    """Something to do."""


@dataclass(frozen=True, eq=False)
class Launch(Action):
    """Start a task. By (step, partition): `reads` gives the parts of sources and `fetches` the
    slices it needs; by (persist id, partition): `has` the kept partitions it shall find, with how
    to read those that are the node's. `keep` are the datasets to keep what it computes of."""

    task: TaskId
    executor: str
    stage: Stage
    job: Job
    reads: dict[tuple[int, int], Part]
    fetches: dict[tuple[int, int], tuple[Slice, ...]]
    has: dict[tuple[int, int], Any]
    keep: frozenset[int]
    peers: int = 0  # width of a barrier stage, else 0


@dataclass(frozen=True)
class CancelTask(Action):
    task: TaskId
    executor: str


@dataclass(frozen=True)
class Deliver(Action):
    """A partition of the answer. `attempt` tells a late copy of it."""

    job: int
    partition: int
    task: TaskId
    result: Any


@dataclass(frozen=True)
class Discard(Action):
    """Nobody waits for this result any more."""

    result: Any


@dataclass(frozen=True)
class Account(Action):
    """Accumulator updates that count: once for each partition of a stage."""

    job: int
    updates: dict[int, Any]


@dataclass(frozen=True, eq=False)
class Adapted(Action):
    """A stage of the job goes on as `stage`, by the sizes of what it reads."""

    job: int
    stage: Stage


@dataclass(frozen=True)
class EndJob(Action):
    job: int
    failure: Failure | None = None


@dataclass(frozen=True)
class Reply(Action):
    """The answer to a BarrierCall: everybody's messages in partition order."""

    task: TaskId
    executor: str
    messages: tuple[Any, ...]


@dataclass(frozen=True)
class Copy(Action):
    """Make one more copy of a kept partition at `executor`."""

    persist: int
    partition: int
    executor: str
    block: Block


@dataclass(frozen=True)
class FreeBlocks(Action):
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class FreeKept(Action):
    """Every executor drops what it keeps of these datasets; `shared` are their shared files."""

    persists: tuple[int, ...]
    shared: tuple[Any, ...] = ()


@dataclass(frozen=True)
class ForgetStage(Action):
    """No job needs the stage's program any more."""

    stage: int


@dataclass(frozen=True)
class Tell(Action):
    """A notice for the listeners."""

    notice: Notice


# ---- notices -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Notice:
    """Something a listener may want to know."""


@dataclass(frozen=True)
class JobStarted(Notice):
    job: int
    description: str
    site: str
    stages: tuple[int, ...]
    partitions: int
    group: str | None = None
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True)
class JobEnded(Notice):
    job: int
    failure: Failure | None


@dataclass(frozen=True)
class StageStarted(Notice):
    """`partitions` are those to be computed now; `again` if the stage had been complete before.
    `name` is the method that the user called, `title` says more of a stage of a query."""

    stage: int
    job: int
    name: str
    width: int
    partitions: tuple[int, ...]
    again: bool
    title: str = ""


@dataclass(frozen=True)
class StageEnded(Notice):
    """All partitions of a stage are there; `exchange` is the one it fills, if any."""

    stage: int
    exchange: int | None = None


@dataclass(frozen=True)
class TaskStarted(Notice):
    """`why` is first, retry (its own failure), lost (something it had, read or made was lost)."""

    task: TaskId
    job: int
    executor: str
    why: str


@dataclass(frozen=True)
class TaskEnded(Notice):
    task: TaskId
    job: int
    executor: str
    failure: Failure | None
    report: TaskReport
    counted: bool  # False for a late answer


@dataclass(frozen=True)
class ExecutorAdded(Notice):
    executor: str
    node: str


@dataclass(frozen=True)
class ExecutorRemoved(Notice):
    executor: str
    reason: str


@dataclass(frozen=True)
class Lost(Notice):
    """Something that had been computed is gone. `what` is kept, shuffle or running."""

    what: str
    owner: int  # persist id, exchange id or stage id
    partition: int
    where: str


@dataclass(frozen=True)
class Recomputed(Notice):
    """What had been lost is there again."""

    what: str
    owner: int
    partition: int
    seconds: float
    job: int
