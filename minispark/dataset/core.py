"""A handle on a plan: its identity, its context and how its jobs are run."""

from __future__ import annotations

import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar, NoReturn, Self

from minispark.dataset.engine import Context, RunningJob
from minispark.dataset.partitioner import DatasetPartitioner
from minispark.errors import PySparkRuntimeError
from minispark.resource.profile import ResourceProfile
from planner.plan import Node
from planner.site import Site, call_site

_ON_DRIVER_ONLY = (
    "A dataset can only be used in the driver, not inside a function that runs in a task, "
    "nor in a broadcast: collect() it first, or join() the two datasets."
)


@dataclass(slots=True)
class Cut:
    """A checkpoint that was asked for: into `folder`, or into the executors if that is None."""

    folder: str | None
    done: bool = False


class Core:
    """What all subjects of a dataset build on. A handle is thin: the plan is a value."""

    __class_getitem__: ClassVar[Any] = classmethod(types.GenericAlias)

    def __init__(self, node: Node, ctx: Context) -> None:
        self.ctx = ctx
        self.is_cached = False
        self.is_checkpointed = False
        self.has_resource_profile = False
        self._plan = node
        self._id = node.id
        self._name: str | None = None
        self._profile: ResourceProfile | None = None
        self._cut: Cut | None = None

    @property
    def _node(self) -> Node:
        """The plan as it stands; a finished checkpoint has taken the place of its lineage."""
        if self._cut is not None and not self._cut.done:
            source = self.ctx._session.checkpointed(self._plan)
            if source is not None:
                self._plan, self._cut.done = source, True
        return self._plan

    def _derive(self, node: Node) -> Self:
        return type(self)(node, self.ctx)

    def _other(self, other: Any) -> Core:
        """`other` if it is a dataset of the same context.

        Raises
        ------
        TypeError
            It is something else.
        ValueError
            It belongs to another context, whose executors do not have its data.
        """
        if not isinstance(other, Core):
            raise TypeError(f"A dataset is needed here, not {type(other).__name__}.")
        if other.ctx is not self.ctx:
            raise ValueError("The two datasets belong to different SparkContexts.")
        return other

    # ---- jobs ----------------------------------------------------------------------------------

    def _run(
        self,
        node: Node,
        partitions: Sequence[int] | None = None,
        *,
        site: Site | None = None,
        **about: Any,
    ) -> Iterator[tuple[int, list[Any]]]:
        """Run a job over `node`: pairs of partition and rows, as they come.

        `about` (group, description) overrides what the calling thread has set.
        """
        about = {**self.ctx._about_job(), **about}
        return self.ctx._session.run(node, partitions, site=site or call_site(), **about)

    def _submit(
        self, node: Node, partitions: Sequence[int] | None = None, *, site: Site | None = None
    ) -> RunningJob:
        """Begin a job over `node` and do not wait."""
        about = self.ctx._about_job()
        return self.ctx._session.submit(node, partitions, site=site or call_site(), **about)

    def _blocks(self, node: Node, partitions: Sequence[int] | None = None) -> list[list[Any]]:
        """The rows of every partition, in the order of the partitions."""
        wanted = range(node.width) if partitions is None else partitions
        if not wanted:
            return []
        found = dict(self._run(node, partitions))
        return [found[partition] for partition in wanted]

    def _rows(self, node: Node) -> list[Any]:
        """All rows in the order of the partitions."""
        blocks = self._blocks(node)
        return blocks[0] if len(blocks) == 1 else list(chain.from_iterable(blocks))

    def _defaultReducePartitions(self) -> int:
        """How many partitions a shuffle makes where the user did not say."""
        if self.ctx._conf.contains("spark.default.parallelism"):
            return self.ctx.defaultParallelism
        return self._node.width

    # ---- identity ------------------------------------------------------------------------------

    @property
    def context(self) -> Any:
        """The SparkContext that made this dataset.

        >>> sc.parallelize([1]).context is sc
        True
        """
        return self.ctx

    @property
    def partitioner(self) -> DatasetPartitioner | None:
        """What is known of where keys are, or None.

        >>> sc.parallelize([(1, 2)]).partitioner is None
        True
        >>> sc.parallelize([(1, 2)]).partitionBy(3).partitioner.numPartitions
        3
        """
        promise = self._node.promise
        return None if promise is None else DatasetPartitioner.of(promise)

    def id(self) -> int:
        """A number that no other dataset of this process has.

        >>> sc.parallelize([1]).id() != sc.parallelize([1]).id()
        True
        """
        return self._id

    def name(self) -> str | None:
        """The name given by `setName`, or None.

        >>> sc.parallelize([1]).setName("ones").name()
        'ones'
        """
        return self._name

    def setName(self, name: str) -> Self:
        """Give this dataset a name that is shown in its repr and in pictures of plans.

        >>> sc.parallelize([1]).setName("ones").name()
        'ones'
        """
        if not isinstance(name, str):
            raise TypeError(f"The name of a dataset is a str, not {type(name).__name__}.")
        self._name = name
        return self

    def getNumPartitions(self) -> int:
        """The number of partitions.

        >>> sc.parallelize(range(10), 4).getNumPartitions()
        4
        """
        return self._node.width

    def toDebugString(self) -> bytes | None:
        """A picture of the plan, as UTF-8: one line a step, indented at every shuffle.

        >>> pairs = sc.parallelize([(1, 2)], 2).reduceByKey(max)
        >>> b"reduceByKey" in pairs.toDebugString()
        True
        """
        return self.ctx._session.picture(self._node).encode("utf-8")

    def explain(self) -> None:
        """Print the picture that `toDebugString` gives.

        >>> sc.range(3, numSlices=1).explain()  # doctest: +ELLIPSIS
        (1) parallelize [range at ...]
        """
        print(self.ctx._session.picture(self._node))

    def __repr__(self) -> str:
        node = self._node
        op = getattr(node, "op", None)
        label = getattr(node, "label", None) or (op.label if op else type(node).__name__)
        name = f"{self._name} " if self._name else ""
        return f"{name}{label}[{self._id}] at {node.site}"

    # ---- a handle stays in the driver ----------------------------------------------------------

    def __getnewargs__(self) -> NoReturn:
        raise PySparkRuntimeError(_ON_DRIVER_ONLY, "RDD_TRANSFORM_ONLY_VALID_ON_DRIVER")

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise PySparkRuntimeError(_ON_DRIVER_ONLY, "RDD_TRANSFORM_ONLY_VALID_ON_DRIVER")
