"""Rows in groups, waiting for aggregates: what groupBy, rollup, cube and pivot give."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from minispark.errors import AnalysisException, PySparkTypeError
from minispark.sql.column import Column, named
from minispark.sql.errors import translated
from minispark.sql.literals import literal
from minispark.sql.pandas_groups import PandasCogroupedOps, applied
from planner.columns import types as t
from planner.columns.expressions import Alias, Attr, Call, Expr, Literal, Name
from planner.query.analysis import grouping, pivot, requests
from planner.query.analysis.naming import text_of

if TYPE_CHECKING:
    from minispark.sql.dataframe.dataframe import DataFrame


class GroupedData:
    """Rows in groups; `agg` and the like make one row of each.

    Examples
    --------
    >>> df = spark.createDataFrame([("n", 1), ("n", 2), ("s", 5)], ["area", "amount"])
    >>> df.groupBy("area").agg(F.sum("amount").alias("total")).orderBy("area").collect()
    [Row(area='n', total=3), Row(area='s', total=5)]
    """

    def __init__(
        self,
        df: DataFrame,
        keys: Sequence[Expr],
        kind: str = "GroupBy",
        sets: Sequence[Sequence[int]] | None = None,
        pivot: tuple[Expr, list[Any]] | None = None,
    ) -> None:
        self._df = df
        self._keys = list(keys)
        self._kind = kind
        self._sets = sets
        self._pivot = pivot

    def agg(self, *exprs: Any) -> DataFrame:
        """One row a group.

        Parameters
        ----------
        *exprs : Column, or one dict of str to str
            Aggregates; or for each column ("*" for rows) the name of one.

        Examples
        --------
        >>> df = spark.createDataFrame([("n", 1), ("n", 2)], ["area", "amount"])
        >>> df.groupBy("area").agg({"amount": "max", "*": "count"}).first()
        Row(area='n', max(amount)=2, count(1)=2)
        """
        if not exprs:
            raise AssertionError("agg needs at least one aggregate")
        if len(exprs) == 1 and isinstance(exprs[0], dict):
            found = [_by_word(column, word) for column, word in exprs[0].items()]
        else:
            if not all(isinstance(expr, Column) for expr in exprs):
                raise AssertionError("agg takes Columns, or one dict")
            found = [expr._expr for expr in exprs]
        return self._made(found)

    def _made(self, exprs: Sequence[Expr]) -> DataFrame:
        df = self._df
        df._own(*exprs)
        with translated():
            scope = df._scope()
            if self._pivot is not None:
                return self._pivoted(exprs)
            if self._sets is not None:
                plan = grouping.grouped_sets(df._plan, self._keys, self._sets, exprs, scope)
                return df._with(plan)
            outputs = [*self._keys, *(requests.item(expr, scope) for expr in exprs)]
            return df._with(requests.aggregate(df._plan, self._keys, outputs, scope))

    # ---- by one word -----------------------------------------------------------------------------

    def count(self) -> DataFrame:
        """How many rows each group has.

        >>> spark.range(4).groupBy((F.col("id") % 2).alias("odd")).count().orderBy("odd").collect()
        [Row(odd=0, count=2), Row(odd=1, count=2)]
        """
        return self._made([Alias(Call("count", (Literal(1, t.INT),)), "count")])

    def sum(self, *cols: str) -> DataFrame:
        """The sums of columns of numbers (of all of them, without arguments).

        >>> spark.range(4).groupBy().sum().first()
        Row(sum(id)=6)
        """
        return self._numbers("sum", cols)

    def avg(self, *cols: str) -> DataFrame:
        """The means of columns of numbers."""
        return self._numbers("avg", cols)

    mean = avg

    def max(self, *cols: str) -> DataFrame:
        """The largest values of columns of numbers."""
        return self._numbers("max", cols)

    def min(self, *cols: str) -> DataFrame:
        """The smallest values of columns of numbers."""
        return self._numbers("min", cols)

    def _numbers(self, word: str, cols: Sequence[Any]) -> DataFrame:
        given = [name for col in cols for name in (col if isinstance(col, list) else [col])]
        if given:
            attrs = [self._df._bound(named(name)) for name in given]
            for name, attr in zip(given, attrs, strict=True):
                if not isinstance(attr.type, t.NumericType):
                    raise AnalysisException(
                        f"{word} is for numbers, and {name} is {attr.type.simpleString()}",
                        "_LEGACY_ERROR_TEMP_1323",
                    )
        else:
            keys = set(self._keys)
            attrs = [
                a for a in self._df._output if isinstance(a.kind, t.NumericType) and a not in keys
            ]
        return self._made([Call(word, (attr,)) for attr in attrs])

    # ---- pivot -----------------------------------------------------------------------------------

    def pivot(self, pivot_col: str, values: list[Any] | None = None) -> GroupedData:
        """A column for each value of `pivot_col`.

        Parameters
        ----------
        pivot_col : str
            Whose values become columns.
        values : list, optional
            Which values, in this order. Without it a job finds them.

        Examples
        --------
        >>> df = spark.createDataFrame([("n", "a", 1), ("n", "b", 2)], ["area", "what", "n"])
        >>> df.groupBy("area").pivot("what").sum("n").first()
        Row(area='n', a=1, b=2)
        """
        if self._kind != "GroupBy" or self._pivot is not None:
            raise AnalysisException(
                "pivot goes once, after groupBy", "UNSUPPORTED_FEATURE.PIVOT_AFTER_GROUP_BY"
            )
        column = self._df._bound(named(pivot_col))
        if values is None:
            limit = int(self._df._session.conf.get("spark.sql.pivotMaxValues", "10000") or 10000)
            rows = self._df.select(Column(column)).distinct().orderBy(1).limit(limit + 1).collect()
            if len(rows) > limit:
                raise AnalysisException(
                    f"{pivot_col} has more than {limit} values; say which, or set "
                    "spark.sql.pivotMaxValues",
                    "_LEGACY_ERROR_TEMP_1324",
                )
            values = [row[0] for row in rows]
        return GroupedData(self._df, self._keys, pivot=(column, list(values)))

    def _pivoted(self, exprs: Sequence[Expr]) -> DataFrame:
        """Each aggregate once for each value, over the rows that have it."""
        assert self._pivot is not None
        column, values = self._pivot
        scope = self._df._scope()
        named_ = [(literal(value), _shown(value)) for value in values]
        bound = [requests.bind(expr, scope) for expr in exprs]
        plan = pivot.pivoted(self._df._plan, self._keys, column, named_, bound, scope)
        return self._df._with(plan)

    # ---- Python functions ------------------------------------------------------------------------

    def applyInPandas(self, func: Callable[..., Any], schema: Any) -> DataFrame:
        """`func(pandas)` or `func(key, pandas)` of each group gives its rows, as pandas.

        >>> df = spark.createDataFrame([("n", 1), ("n", 2)], ["area", "amount"])
        >>> def total(rows):
        ...     return rows[["area"]].head(1).assign(total=int(rows.amount.sum()))
        >>> df.groupBy("area").applyInPandas(total, "area string, total long").first()
        Row(area='n', total=3)
        """
        return applied(self._df, self._keys, func, schema, "pandas")

    def applyInArrow(self, func: Callable[..., Any], schema: Any) -> DataFrame:
        """`func(table)` or `func(key, table)` of each group gives its rows, as an Arrow table."""
        return applied(self._df, self._keys, func, schema, "arrow")

    def apply(self, udf: Any) -> DataFrame:
        """Not there: the older form of `applyInPandas`."""
        raise NotImplementedError("GroupedData.apply is not there; use applyInPandas")

    def cogroup(self, other: GroupedData) -> PandasCogroupedOps:
        """Groups of two DataFrames with equal keys together."""
        return PandasCogroupedOps(self, other)

    def __getattr__(self, name: str) -> Any:
        if name in ("applyInPandasWithState", "transformWithState", "transformWithStateInPandas"):
            raise NotImplementedError(f"GroupedData.{name} is not there: it is for streams")
        raise AttributeError(f"'GroupedData' object has no attribute {name!r}")

    def __repr__(self) -> str:
        keys = ", ".join(key.name if isinstance(key, Attr) else text_of(key) for key in self._keys)
        shown = [f"{name}: {kind}" for name, kind in self._df.dtypes]
        rest = len(shown) - 2
        more = f" ... {rest} more field{'s' if rest > 1 else ''}" if rest > 0 else ""
        value = f"[{', '.join(shown[:2])}{more}]"
        return f"GroupedData[grouping expressions: [{keys}], value: {value}, type: {self._kind}]"


def _shown(value: Any) -> str:
    """A value in the name of a column."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _by_word(column: str, word: str) -> Expr:
    if not isinstance(column, str) or not isinstance(word, str):
        raise PySparkTypeError("the dict is of names to names of aggregates", "NOT_EXPECTED_TYPE")
    if column == "*" and word.lower() == "count":
        return Call("count", (Literal(1, t.INT),))
    return Call({"mean": "avg"}.get(word.lower(), word.lower()), (Name((column,)),))
