"""Order, partitions and hints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from minispark.errors import (
    AnalysisException,
    IllegalArgumentException,
    PySparkTypeError,
    PySparkValueError,
)
from minispark.sql.column import Column
from minispark.sql.dataframe.core import Core
from minispark.sql.dataframe.selecting import flat
from minispark.sql.errors import translated
from planner.columns.expressions import Attr, Expr, Order
from planner.columns.typing import Scope
from planner.query import logical as l
from planner.query.analysis import requests


class Ordering(Core):
    """Order, partitions and hints."""

    def orderBy(self, *cols: Any, **kwargs: Any) -> Self:
        """The rows in order.

        Parameters
        ----------
        *cols : Column, str, int or a list of them
            Keys: names, places (from 1, negative for the largest first), or expressions.
        ascending : bool or list of bool, default True
            Which way, for all keys or each.

        Examples
        --------
        >>> df = spark.createDataFrame([(2, "b"), (5, "a")], ["age", "name"])
        >>> df.orderBy(df.age.desc()).first()
        Row(age=5, name='a')
        >>> df.orderBy("name", ascending=False).first()
        Row(age=2, name='b')
        """
        return self._sorted(self._keys(cols, kwargs), True)

    sort = orderBy

    def sortWithinPartitions(self, *cols: Any, **kwargs: Any) -> Self:
        """The rows of each partition in order.

        >>> spark.range(3).sortWithinPartitions(F.desc("id")).count()
        3
        """
        return self._sorted(self._keys(cols, kwargs), False)

    def _keys(self, cols: Sequence[Any], kwargs: dict[str, Any]) -> list[Expr]:
        given = flat(cols)
        if not given:
            raise PySparkValueError("at least one column must be given", "CANNOT_BE_EMPTY")
        keys: list[Expr] = []
        for col in given:
            if isinstance(col, int) and not isinstance(col, bool):
                key = self._ordinal(col)
                keys.append(Order(key, False) if col < 0 else key)
            else:
                keys += self._exprs([col])
        ascending = kwargs.pop("ascending", True)
        if kwargs:
            raise PySparkTypeError(f"unknown arguments: {', '.join(kwargs)}", "UNEXPECTED_ARGUMENT")
        if isinstance(ascending, list):
            if len(ascending) != len(keys):
                raise PySparkValueError(
                    "ascending must fit the columns", "LENGTH_SHOULD_BE_THE_SAME"
                )
            return [
                key if way else Order(key, False) for key, way in zip(keys, ascending, strict=True)
            ]
        if not isinstance(ascending, bool | int):
            raise PySparkTypeError(f"ascending must be a bool: {ascending!r}", "NOT_EXPECTED_TYPE")
        return keys if ascending else [Order(key, False) for key in keys]

    def _ordinal(self, place: int) -> Attr:
        if not 1 <= abs(place) <= len(self._output):
            raise AnalysisException(
                f"there is no column {place}: places go from 1 to {len(self._output)}",
                "ORDER_BY_POS_OUT_OF_RANGE" if place else "INDEX_NOT_POSITIVE",
            )
        return self._output[abs(place) - 1]

    def _sorted(self, keys: Sequence[Expr], everywhere: bool) -> Self:
        """In order of columns that come out, or else of those that a selection left out."""
        self._own(*keys)
        settings = self._engine.settings
        with translated():
            bound = self._found(keys)
            used = self._with_hidden(bound)  # type: ignore[attr-defined]
            found = requests.order(used, bound, Scope(used.output, settings), everywhere)
        return self._with(found if used is self._plan else l.Project(found, self._output))

    # ---- partitions ------------------------------------------------------------------------------

    def repartition(self, numPartitions: Any, *cols: Any) -> Self:
        """The rows dealt to `numPartitions` partitions, by the values of columns if given.

        >>> spark.range(10).repartition(3).rdd.getNumPartitions()
        3
        """
        count, keys = self._split(numPartitions, cols)
        bound = tuple(self._bound(key) for key in keys)
        return self._with(l.Repartition(self._plan, count, bound))

    def repartitionByRange(self, numPartitions: Any, *cols: Any) -> Self:
        """The rows in partitions by ranges of columns."""
        count, keys = self._split(numPartitions, cols)
        if not keys:
            raise AnalysisException("at least one column must be given", "CANNOT_BE_EMPTY")
        bound = (self._bound(key) for key in keys)
        orders = tuple(key if isinstance(key, Order) else Order(key) for key in bound)
        return self._with(l.Repartition(self._plan, count, orders))

    def repartitionById(self, numPartitions: int, partitionIdCol: Any) -> Self:
        """Not there: rows that name their partition."""
        raise NotImplementedError("DataFrame.repartitionById is not there; use repartition")

    def _split(self, first: Any, cols: Sequence[Any]) -> tuple[int | None, list[Expr]]:
        if isinstance(first, bool) or not isinstance(first, int | str | Column):
            raise PySparkTypeError(
                f"numPartitions must be an int or a column: {first!r}", "NOT_EXPECTED_TYPE"
            )
        count = first if isinstance(first, int) else None
        if count is not None and count < 1:
            raise IllegalArgumentException(
                f"the number of partitions must be positive, not {count}"
            )
        given = list(cols) if count is not None else [first, *cols]
        return count, self._exprs(given)

    def coalesce(self, numPartitions: int) -> Self:
        """The rows in at most `numPartitions` partitions, neighbours put together."""
        if not isinstance(numPartitions, int) or numPartitions < 1:
            raise IllegalArgumentException(
                f"the number of partitions must be positive, not {numPartitions}"
            )
        return self._with(l.Repartition(self._plan, numPartitions, shuffle=False))

    def hint(self, name: str, *parameters: Any) -> Self:
        """Say something of the DataFrame that helps: "broadcast" for a small side of a join.

        >>> spark.range(3).join(spark.range(2).hint("broadcast"), "id").count()
        2
        """
        if not isinstance(name, str):
            raise PySparkTypeError(f"name must be a str: {name!r}", "NOT_EXPECTED_TYPE")
        word = name.lower()
        if word in ("repartition", "coalesce") and parameters and isinstance(parameters[0], int):
            return self._with(l.Repartition(self._plan, parameters[0], shuffle=word != "coalesce"))
        return self._with(
            l.Hint(
                self._plan, {"broadcastjoin": "broadcast", "mapjoin": "broadcast"}.get(word, word)
            )
        )
