"""Python functions over batches of rows: mapInPandas, mapInArrow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from executors.relational.python import MapBatches
from minispark.errors import PySparkTypeError
from minispark.sql.column import type_named
from minispark.sql.crossing import attrs_of
from minispark.sql.dataframe.core import Core
from planner.columns import types as t
from planner.query import logical as l


class PythonBatches(Core):
    """Python functions over batches of rows."""

    def mapInPandas(
        self,
        func: Callable[..., Any],
        schema: t.StructType | str,
        barrier: bool = False,
        profile: Any = None,
    ) -> Self:
        """`func` takes an iterator of pandas frames, and gives one.

        Parameters
        ----------
        func : callable
            Called once a partition, in the executors.
        schema : StructType or str
            The columns that come out.

        Examples
        --------
        >>> def small(frames):
        ...     for frame in frames:
        ...         yield frame[frame.id < 2]
        >>> spark.range(5).mapInPandas(small, "id long").collect()
        [Row(id=0), Row(id=1)]
        """
        return self._mapped(func, schema, "pandas", "mapInPandas", barrier, profile)

    def mapInArrow(
        self,
        func: Callable[..., Any],
        schema: t.StructType | str,
        barrier: bool = False,
        profile: Any = None,
    ) -> Self:
        """`func` takes an iterator of Arrow record batches, and gives one.

        >>> spark.range(3).mapInArrow(lambda batches: batches, "id long").count()
        3
        """
        return self._mapped(func, schema, "arrow", "mapInArrow", barrier, profile)

    def _mapped(
        self,
        func: Callable[..., Any],
        schema: t.StructType | str,
        style: str,
        label: str,
        barrier: bool,
        profile: Any,
    ) -> Self:
        if barrier or profile is not None:
            raise NotImplementedError(f"{label} with barrier or profile is not there")
        refuse_no_function(func, label)
        attrs = attrs_of(struct_named(schema))
        f = MapBatches(func, style, self._output, attrs, self._engine.settings.zone, label)
        return self._with(l.Batches(self._plan, f, attrs, label=label))


def refuse_no_function(func: Any, label: str) -> None:
    """Refuse what cannot be called, before any task would."""
    if not callable(func):
        raise PySparkTypeError(
            f"{label} takes a function, and {func!r} is of type {type(func).__name__}",
            "NOT_CALLABLE",
        )


def struct_named(schema: t.StructType | str) -> t.StructType:
    """A row type, given as one or as SQL text."""
    found = type_named(schema)
    if not isinstance(found, t.StructType):
        raise PySparkTypeError(
            f"the schema must be one of rows, and is {found.simpleString()}", "NOT_EXPECTED_TYPE"
        )
    return found
