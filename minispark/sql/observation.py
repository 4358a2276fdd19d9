"""`Observation`: values about a DataFrame's rows, by the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from minispark.errors import PySparkAssertionError, PySparkTypeError, PySparkValueError

if TYPE_CHECKING:
    from minispark.sql.column import Column
    from minispark.sql.dataframe.grouping import Grouping


class Observation:
    """What `df.observe` is asked to find out.

    The values are computed by a query of their own when they are asked for, and then kept.

    Examples
    --------
    >>> from minispark.sql import Observation
    >>> seen = Observation("seen")
    >>> df = spark.range(4).observe(seen, F.max("id").alias("most"))
    >>> _ = df.collect()
    >>> seen.get
    {'most': 3}
    """

    def __init__(self, name: str | None = None) -> None:
        if name is not None and not isinstance(name, str):
            raise PySparkTypeError(f"a name must be a str: {name!r}", "NOT_EXPECTED_TYPE")
        if name == "":
            raise PySparkValueError("a name cannot be empty", "VALUE_NOT_NON_EMPTY_STR")
        self._name = name
        self._asked: tuple[Grouping, Sequence[Column]] | None = None
        self._found: dict[str, Any] | None = None

    def _on(self, df: Grouping, exprs: Sequence[Column]) -> None:
        if self._asked is not None:
            raise PySparkAssertionError("an Observation is used once", "REUSE_OBSERVATION")
        df.agg(*exprs)  # what means nothing is refused now
        self._asked = df, exprs

    @property
    def get(self) -> dict[str, Any]:
        """The values by their names.

        Raises
        ------
        PySparkAssertionError
            No DataFrame was observed.
        """
        if self._asked is None:
            raise PySparkAssertionError("no DataFrame was observed", "NO_OBSERVE_BEFORE_GET")
        if self._found is None:
            df, exprs = self._asked
            (row,) = df.agg(*exprs).collect()  # type: ignore[attr-defined]
            self._found = row.asDict()
        return self._found
