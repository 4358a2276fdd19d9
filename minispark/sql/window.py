"""Windows: which rows around each a function is computed over."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from minispark.sql.column import named
from planner.columns.expressions import Expr, Frame, Order

_FIRST, _LAST = -sys.maxsize - 1, sys.maxsize


def _flat(cols: Sequence[Any]) -> list[Any]:
    if len(cols) == 1 and isinstance(cols[0], list | tuple):
        return list(cols[0])
    return list(cols)


def _bound(value: Any, low: bool) -> Any:
    """An offset, None where it is unbounded."""
    if value <= -sys.maxsize if low else value >= sys.maxsize:
        return None
    return value


class WindowSpec:
    """A window: made by `Window.partitionBy(…)`, `orderBy` and the like, and given to `over`.

    Examples
    --------
    >>> from minispark.sql import Window
    >>> window = Window.orderBy("id").rowsBetween(-1, Window.currentRow)
    >>> spark.range(3).select(F.sum("id").over(window).alias("s")).collect()
    [Row(s=0), Row(s=1), Row(s=3)]
    """

    def __init__(
        self,
        partition: tuple[Expr, ...] = (),
        order: tuple[Order, ...] = (),
        frame: Frame | None = None,
    ) -> None:
        self._partition = partition
        self._order = order
        self._frame = frame

    def partitionBy(self, *cols: Any) -> WindowSpec:
        """Rows with equal values of these columns are a window of their own."""
        return WindowSpec(tuple(map(named, _flat(cols))), self._order, self._frame)

    def orderBy(self, *cols: Any) -> WindowSpec:
        """The order of the rows in a window."""
        keys = [named(col) for col in _flat(cols)]
        order = tuple(key if isinstance(key, Order) else Order(key) for key in keys)
        return WindowSpec(self._partition, order, self._frame)

    def rowsBetween(self, start: int, end: int) -> WindowSpec:
        """The frame, in rows before (negative) and after the current one."""
        frame = Frame("rows", _bound(start, True), _bound(end, False))
        return WindowSpec(self._partition, self._order, frame)

    def rangeBetween(self, start: int, end: int) -> WindowSpec:
        """The frame, as differences of the value of the sort key."""
        frame = Frame("range", _bound(start, True), _bound(end, False))
        return WindowSpec(self._partition, self._order, frame)


class Window:
    """Makes windows: see WindowSpec.

    Examples
    --------
    >>> window = Window.partitionBy("area").orderBy("amount")
    >>> df = spark.createDataFrame([("n", 2), ("n", 1)], ["area", "amount"])
    >>> df.select("amount", F.row_number().over(window).alias("place")).orderBy("place").collect()
    [Row(amount=1, place=1), Row(amount=2, place=2)]
    """

    unboundedPreceding: int = _FIRST
    unboundedFollowing: int = _LAST
    currentRow: int = 0

    @staticmethod
    def partitionBy(*cols: Any) -> WindowSpec:
        """Windows of rows with equal values of these columns."""
        return WindowSpec().partitionBy(*cols)

    @staticmethod
    def orderBy(*cols: Any) -> WindowSpec:
        """One window of all rows, in this order."""
        return WindowSpec().orderBy(*cols)

    @staticmethod
    def rowsBetween(start: int, end: int) -> WindowSpec:
        """One window of all rows, with a frame counted in rows."""
        return WindowSpec().rowsBetween(start, end)

    @staticmethod
    def rangeBetween(start: int, end: int) -> WindowSpec:
        """One window of all rows, with a frame counted in values of the sort key."""
        return WindowSpec().rangeBetween(start, end)
