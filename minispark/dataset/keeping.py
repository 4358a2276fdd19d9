"""Keeping computed partitions: cache, persist, checkpoint."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import Self

from executors.formats.files import name_of
from minispark.dataset.core import Core, Cut
from minispark.dataset.saving import PickleWritten, written
from planner.levels import StorageLevel
from planner.plan import Exchange, Node, Persist, Source
from planner.sources import PickledPart


@dataclass(frozen=True, slots=True, eq=False)
class ToFiles:
    """Writes a dataset's partitions to files, and gives the source that reads them."""

    dataset: Core
    node: Node
    folder: str

    def __call__(self) -> Source:
        folder = written(
            self.dataset, self.node, self.folder, lambda saving: PickleWritten(saving, 0)
        )
        names = (f"part-{partition:05d}" for partition in range(self.node.width))
        parts = tuple(PickledPart((posixpath.join(folder, name),)) for name in names)
        return Source(parts, "checkpoint", self.node.promise, site=self.node.site)


@dataclass(frozen=True, slots=True, eq=False)
class ToExecutors:
    """Copies a dataset's kept partitions to blocks of the executors, and keeps only those."""

    dataset: Core
    node: Node
    only_for_this: bool

    def __call__(self) -> Source:
        session = self.dataset.ctx._session
        source = session.local_checkpoint(self.node)
        if self.only_for_this:
            session.unpersist(self.node, False)
        return source


class Keeping(Core):
    """What a dataset keeps so as not to compute it again."""

    def persist(self, storageLevel: StorageLevel = StorageLevel.MEMORY_ONLY) -> Self:
        """Keep the partitions of this dataset from the first time they are computed.

        Parameters
        ----------
        storageLevel : StorageLevel
            Where they may be, and in how many copies.

        Raises
        ------
        TypeError
            `storageLevel` is not a StorageLevel.
        ValueError
            It is kept at another level already: `unpersist` it first.

        Examples
        --------
        >>> from minispark import StorageLevel
        >>> numbers = sc.parallelize([1, 2]).persist(StorageLevel.DISK_ONLY)
        >>> numbers.is_cached, numbers.getStorageLevel()
        (True, StorageLevel(True, False, False, False, 1))
        """
        if not isinstance(storageLevel, StorageLevel):
            kind = type(storageLevel).__name__
            raise TypeError(f"storageLevel must be a StorageLevel, not {kind}")
        node, session = self._node, self.ctx._session
        kept = session.kept_level(node)
        if kept is not None and kept != storageLevel:
            raise ValueError(
                f"this dataset is kept at {kept!r} already; unpersist() it to choose another level"
            )
        if kept is None and storageLevel != StorageLevel.NONE:
            self._plan = session.persist(_bare(node), storageLevel)
        self.is_cached = True
        return self

    def cache(self) -> Self:
        """`persist` in memory: live Python objects in the executors that made them.

        >>> numbers = sc.parallelize([1, 2]).cache()
        >>> numbers.is_cached, numbers.collect()
        (True, [1, 2])
        """
        return self.persist(StorageLevel.MEMORY_ONLY)

    def unpersist(self, blocking: bool = False) -> Self:
        """Keep the partitions no longer; what is kept is freed.

        Parameters
        ----------
        blocking : bool
            Wait until it is.

        Examples
        --------
        >>> sc.parallelize([1, 2]).cache().unpersist().is_cached
        False
        """
        self.is_cached = False
        self.ctx._session.unpersist(self._node, blocking)
        return self

    def getStorageLevel(self) -> StorageLevel:
        """Where the partitions of this dataset are kept.

        >>> print(sc.parallelize([1, 2]).cache().getStorageLevel())
        Memory Serialized 1x Replicated
        """
        kept = self.ctx._session.kept_level(self._node)
        if kept is not None:
            return kept
        local = self.isLocallyCheckpointed()
        return StorageLevel.MEMORY_AND_DISK_DESER if local else StorageLevel.NONE

    def checkpoint(self) -> None:
        """Write this dataset to files after the next job that computes it, and forget its lineage.

        It is computed again for that, unless it is kept too. The folder is that of
        `SparkContext.setCheckpointDir`.

        Raises
        ------
        RuntimeError
            No folder for checkpoints is set.

        Examples
        --------
        >>> import tempfile
        >>> sc.setCheckpointDir(tempfile.mkdtemp())
        >>> numbers = sc.parallelize([1, 2]).map(abs)
        >>> numbers.checkpoint()
        >>> numbers.isCheckpointed(), numbers.count(), numbers.isCheckpointed()
        (False, 2, True)
        """
        folder = self.ctx.getCheckpointDir()
        if folder is None:
            raise RuntimeError("set a folder first: SparkContext.setCheckpointDir")
        self.is_checkpointed = True
        if self._cut is not None:
            return
        node = self._node
        target = posixpath.join(folder, f"rdd-{self._id}")
        self._cut = Cut(target)
        self.ctx._session.checkpoint(node, ToFiles(self._derive(node), node, target))

    def isCheckpointed(self) -> bool:
        """Whether `checkpoint` has written the files, or `localCheckpoint` its blocks.

        >>> sc.parallelize([1]).isCheckpointed()
        False
        """
        return any(self._finished_cut(local) is not None for local in (False, True))

    def getCheckpointFile(self) -> str | None:
        """The folder that `checkpoint` has written, or None.

        >>> sc.parallelize([1]).getCheckpointFile() is None
        True
        """
        cut = self._finished_cut(local=False)
        return None if cut is None or cut.folder is None else name_of(cut.folder)

    def localCheckpoint(self) -> None:
        """As `checkpoint`, into the executors' own storage: faster, and lost with an executor.

        >>> numbers = sc.parallelize([1, 2]).map(abs)
        >>> numbers.localCheckpoint()
        >>> numbers.isLocallyCheckpointed(), numbers.collect()
        (True, [1, 2])
        """
        node, session = self._node, self.ctx._session
        if self._cut is not None and (self._cut.done or self._cut.folder is None):
            return
        self._cut = Cut(None)
        only_for_this = session.kept_level(node) is None
        if only_for_this:
            session.persist(_bare(node), StorageLevel.MEMORY_AND_DISK_DESER)
        session.checkpoint(node, ToExecutors(self._derive(node), node, only_for_this))

    def isLocallyCheckpointed(self) -> bool:
        """Whether `localCheckpoint` was called.

        >>> sc.parallelize([1]).isLocallyCheckpointed()
        False
        """
        return self._cut is not None and self._cut.folder is None

    def _finished_cut(self, local: bool) -> Cut | None:
        _ = self._node  # looks whether the checkpoint is there
        cut = self._cut
        return cut if cut is not None and cut.done and (cut.folder is None) == local else None

    def cleanShuffleDependencies(self, blocking: bool = False) -> None:
        """Free what the shuffles behind this dataset have written, down to what is kept.

        A later job that needs them runs them again.

        Parameters
        ----------
        blocking : bool
            Wait until it is freed.

        Examples
        --------
        >>> sums = sc.parallelize([(1, 2), (1, 3)]).reduceByKey(lambda a, b: a + b)
        >>> sums.collect()
        [(1, 5)]
        >>> sums.cleanShuffleDependencies()
        >>> sums.collect()
        [(1, 5)]
        """
        session = self.ctx._session
        waiting: list[Node] = [self._node]
        found: dict[int, Exchange] = {}
        seen: set[int] = set()
        while waiting:
            node = waiting.pop()
            if node.id in seen:
                continue
            seen.add(node.id)
            if isinstance(node, Exchange):
                found[node.id] = node
            if node is self._node or session.kept_level(node) is None:
                waiting.extend(node.children)
        session.forget_shuffles(tuple(found.values()), blocking)


def _bare(node: Node) -> Node:
    """The node under the Persists that an earlier `persist` has put on it."""
    while isinstance(node, Persist):
        node = node.child
    return node
