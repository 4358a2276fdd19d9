"""Rows kept for further queries, and plans compared."""

from __future__ import annotations

from typing import Any, Self

from minispark.errors import PySparkTypeError
from minispark.sql.column import Column
from minispark.sql.crossing import tables_dataset
from minispark.sql.dataframe.core import Core
from minispark.sql.observation import Observation
from planner.levels import StorageLevel
from planner.query import logical as l
from planner.query.fingerprint import fingerprint


class Keeping(Core):
    """Rows kept for further queries."""

    def cache(self) -> Self:
        """Keep the rows in memory (and on disk where there is no room) once they are computed.

        >>> df = spark.range(3).cache()
        >>> df.count(), df.storageLevel.useMemory
        (3, True)
        >>> _ = df.unpersist()
        """
        return self.persist()

    def persist(self, storageLevel: StorageLevel = StorageLevel.MEMORY_AND_DISK_DESER) -> Self:
        """Keep the rows at a storage level once they are computed."""
        if not isinstance(storageLevel, StorageLevel):
            raise PySparkTypeError(
                f"a StorageLevel is needed, and not {type(storageLevel).__name__}: "
                f"{storageLevel!r}",
                "NOT_EXPECTED_TYPE",
            )
        self._engine.cache(self._plan, storageLevel)
        return self

    def unpersist(self, blocking: bool = False) -> Self:
        """Keep the rows no longer."""
        self._engine.unpersist(self._plan, blocking)
        return self

    @property
    def storageLevel(self) -> StorageLevel:
        """How the rows are kept.

        >>> spark.range(3).storageLevel == StorageLevel.NONE
        True
        """
        return self._engine.level(self._plan) or StorageLevel.NONE

    @property
    def is_cached(self) -> bool:
        """Whether the rows are kept."""
        return self._engine.level(self._plan) is not None

    def checkpoint(self, eager: bool = True) -> Self:
        """The rows written to `SparkContext.setCheckpointDir`, without their history.

        >>> import tempfile
        >>> sc.setCheckpointDir(tempfile.mkdtemp())
        >>> spark.range(3).checkpoint().count()
        3
        """
        dataset = tables_dataset(self._session, self._plan)
        dataset.checkpoint()
        if eager:
            dataset.count()
        return self._of_dataset(dataset)

    def localCheckpoint(self, eager: bool = True, storageLevel: StorageLevel | None = None) -> Self:
        """The rows kept in the executors, without their history.

        >>> spark.range(3).localCheckpoint().count()
        3
        """
        if storageLevel is not None:
            raise NotImplementedError("localCheckpoint(storageLevel=…) is not there; use persist")
        dataset = tables_dataset(self._session, self._plan)
        dataset.localCheckpoint()
        if eager:
            dataset.count()
        return self._of_dataset(dataset)

    def _of_dataset(self, dataset: Any) -> Self:
        attrs = tuple(attr for attr in self._output)
        return self._with(l.Rows(attrs, dataset._node))

    # ---- plans compared --------------------------------------------------------------------------

    def sameSemantics(self, other: Core) -> bool:
        """Whether both say the same.

        >>> spark.range(3).sameSemantics(spark.range(3))
        True
        """
        return fingerprint(self._plan) == fingerprint(other._plan)

    def semanticHash(self) -> int:
        """A number that is equal for DataFrames that say the same."""
        return hash(fingerprint(self._plan))

    def observe(self, observation: Observation, *exprs: Column) -> Self:
        """The same rows; `observation.get` gives aggregates of them.

        Parameters
        ----------
        observation : Observation
            Where the values can be had (a name, for listeners, is not there).
        *exprs : Column
            The aggregates.
        """
        if isinstance(observation, str):
            raise NotImplementedError(
                "DataFrame.observe with a name is not there, as listeners are not; give it an "
                "Observation"
            )
        if not isinstance(observation, Observation):
            raise PySparkTypeError(
                f"observation must be an Observation: {observation!r}", "NOT_EXPECTED_TYPE"
            )
        if not exprs or not all(isinstance(each, Column) for each in exprs):
            raise PySparkTypeError("observe takes Columns", "NOT_EXPECTED_TYPE")
        observation._on(self, exprs)  # type: ignore[arg-type]
        return self._with(self._plan)

    def withWatermark(self, eventTime: str, delayThreshold: str) -> Self:
        """Not there: streaming."""
        raise NotImplementedError("DataFrame.withWatermark is not there: it is for streams")
