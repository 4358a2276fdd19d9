"""Columns and rows chosen: select, withColumn, drop, where, …"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Self

from minispark.errors import AnalysisException, PySparkTypeError
from minispark.sql.column import Column
from minispark.sql.dataframe.core import Core, hidden
from minispark.sql.errors import translated
from minispark.sql.texts import expression
from planner.columns import types as t
from planner.columns.expressions import (
    Alias,
    Attr,
    Call,
    Cast,
    Expr,
    Literal,
    Name,
    Over,
    Query,
    walk,
)
from planner.columns.typing import is_aggregate, kind_of
from planner.query import logical as l
from planner.query.analysis import requests


def flat(cols: Sequence[Any]) -> list[Any]:
    """Columns given one by one, or as one list."""
    if len(cols) == 1 and isinstance(cols[0], list | tuple):
        return list(cols[0])
    return list(cols)


def _names(*given: Any) -> None:
    """Refuse what is no name of a column."""
    for name in given:
        if not isinstance(name, str):
            raise PySparkTypeError(
                f"the name of a column is a str, and not {type(name).__name__}: {name!r}",
                "NOT_EXPECTED_TYPE",
            )


class Selecting(Core):
    """Columns and rows chosen."""

    def select(self, *cols: Any) -> Self:
        """The rows with these columns.

        Parameters
        ----------
        *cols : Column, str or a list of them
            Names, `"*"`, or expressions.

        Raises
        ------
        AnalysisException
            A column is not there, or an expression makes no sense.

        Examples
        --------
        >>> df = spark.createDataFrame([(2, "Ann")], ["age", "name"])
        >>> df.select("name", (df.age + 1).alias("next")).collect()
        [Row(name='Ann', next=3)]
        """
        exprs = [self._titled(expr) for expr in self._exprs(flat(cols))]
        below = self._with_hidden(exprs)
        with translated():
            scope = self._scope()
            return self._with(requests.select(below, exprs, scope))

    def _titled(self, expr: Expr) -> Expr:
        """An expression with the name that PySpark gives it where typing would lose it: a column
        as the user wrote its name."""
        if isinstance(expr, Name) and len(expr.parts) == 1:
            there = self._scope().named(expr.parts[0])
            if len(there) == 1 and there[0].name != expr.parts[0]:
                return Alias(there[0], expr.parts[0], metadata=there[0].metadata)
        return expr

    def _with_hidden(self, exprs: Sequence[Expr]) -> l.Plan:
        """The plan, with columns that a join with USING took away and that are asked for."""
        here = {attr.id for attr in self._output}
        wanted = {
            each.id: each
            for expr in exprs
            for each in walk(expr)
            if isinstance(each, Attr) and each.id not in here
        }
        if not wanted:
            return self._plan
        below = {attr.id: attr for attr in hidden(self._plan)}
        return _shown(self._plan, [below[id] for id in wanted])

    def selectExpr(self, *expr: Any) -> Self:
        """The rows with columns written in SQL.

        >>> spark.range(2).selectExpr("id * 2 AS double").collect()
        [Row(double=0), Row(double=2)]
        """
        exprs = [expression(text) for text in flat(expr)]
        with translated():
            return self._with(requests.select(self._plan, exprs, self._scope()))

    def where(self, condition: Any) -> Self:
        """The rows for which a condition is true.

        Parameters
        ----------
        condition : Column or str
            A column of booleans, or a condition in SQL.

        Examples
        --------
        >>> spark.range(5).where(F.col("id") > 2).count()
        2
        """
        with translated():
            (expr,) = self._found([self._condition(condition)])
            below = self._with_hidden([expr])
            found = requests.where(below, expr, self._scope())
        if below is not self._plan:
            found = l.Project(found, self._output)
        return self._with(found)

    filter = where

    def withColumn(self, colName: str, col: Column) -> Self:
        """The rows with a column added, or replaced if the name is there.

        >>> spark.range(1).withColumn("next", F.col("id") + 1).first()
        Row(id=0, next=1)
        """
        if not isinstance(col, Column):
            raise PySparkTypeError(
                f"col must be a Column, not {type(col).__name__}: use lit() for a constant",
                "NOT_EXPECTED_TYPE",
            )
        return self._added({colName: col})

    def withColumns(self, *colsMap: dict[str, Column]) -> Self:
        """The rows with several columns added or replaced.

        >>> spark.range(1).withColumns({"a": F.lit(1), "b": F.lit("x")}).first()
        Row(id=0, a=1, b='x')
        """
        if len(colsMap) != 1 or not isinstance(colsMap[0], dict):
            raise PySparkTypeError("withColumns takes one dict", "NOT_EXPECTED_TYPE")
        return self._added(colsMap[0])

    def _added(self, cols: dict[str, Column], metadata: dict[str, Any] | None = None) -> Self:
        settings = self._engine.settings
        _names(*cols)

        def fold(name: str) -> str:
            return name if settings.case_sensitive else name.lower()

        exprs = self._exprs(list(cols.values()))
        bound = [self._bound(expr) for expr in exprs]
        kept = None if metadata is None else tuple(metadata.items())
        made = {
            fold(name): Alias(expr.child if isinstance(expr, Alias) else expr, name, metadata=kept)
            for name, expr in zip(cols, bound, strict=True)
        }
        if len(made) < len(cols):
            raise AnalysisException("two of the columns have one name", "COLUMN_ALREADY_EXISTS")
        if any(map(is_aggregate, bound)):
            return self.select("*", *(Column(alias) for alias in made.values()))
        names = [attr.name for attr in self._output]
        if not settings.case_sensitive:
            names = [name.lower() for name in names]
        columns: list[Expr] = list(map(made.get, names, self._output))
        columns += [alias for name, alias in made.items() if name not in names]
        if all(map(_of_one_row, bound)):  # so that hundreds of calls stay quick
            return self._with(l.Project(self._plan, tuple(columns)))  # type: ignore[arg-type]
        with translated():
            return self._with(requests.projected(self._plan, columns, settings))

    def withColumnRenamed(self, existing: str, new: str) -> Self:
        """The rows with a column under another name; nothing changes if it is not there.

        >>> spark.range(1).withColumnRenamed("id", "n").columns
        ['n']
        """
        return self.withColumnsRenamed({existing: new})

    def withColumnsRenamed(self, colsMap: dict[str, str]) -> Self:
        """The rows with columns under other names."""
        if not isinstance(colsMap, dict):
            raise PySparkTypeError("withColumnsRenamed takes a dict", "NOT_EXPECTED_TYPE")
        _names(*colsMap, *colsMap.values())
        columns: list[Attr | Alias] = list(self._output)
        for old, new in colsMap.items():
            for at, column in enumerate(columns):
                if self._same_name(column.name, old):
                    kept = column.metadata or ()
                    child = column.child if isinstance(column, Alias) else column
                    columns[at] = Alias(child, new, metadata=kept)
        return self._with(l.Project(self._plan, tuple(columns)))

    def withMetadata(self, columnName: str, metadata: dict[str, Any]) -> Self:
        """The rows with something kept beside a column.

        >>> spark.range(1).withMetadata("id", {"unit": "m"}).schema["id"].metadata
        {'unit': 'm'}
        """
        if not isinstance(metadata, dict):
            raise PySparkTypeError("metadata must be a dict", "NOT_EXPECTED_TYPE")
        return self._added({columnName: Column(self._find(columnName))}, metadata)

    def toDF(self, *cols: str) -> Self:
        """The rows with all columns under new names.

        >>> spark.range(1).toDF("n").columns
        ['n']
        """
        for name in cols:
            if not isinstance(name, str):
                raise PySparkTypeError(f"a name must be a str: {name!r}", "NOT_EXPECTED_TYPE")
        if len(cols) != len(self._output):
            raise AnalysisException(
                f"there are {len(self._output)} columns, and {len(cols)} names",
                "ASSIGNMENT_ARITY_MISMATCH",
            )
        pairs = zip(self._output, cols, strict=True)
        return self._with(l.Project(self._plan, tuple(Alias(a, name) for a, name in pairs)))

    def drop(self, *cols: Any) -> Self:
        """The rows without some columns; names that are not there are ignored.

        >>> spark.range(1).withColumn("a", F.lit(1)).drop("id", "nothing").columns
        ['a']
        """
        gone: set[int] = set()
        for col in cols:
            if isinstance(col, str):
                gone |= {a.id for a in self._output if self._same_name(a.name, col)}
                continue
            if not isinstance(col, Column):
                raise PySparkTypeError(
                    f"drop takes names and Columns, not {type(col).__name__}", "NOT_EXPECTED_TYPE"
                )
            found: Expr = col._expr
            if isinstance(found, Name):
                with translated():
                    found = self._scope().find(found.parts) or found
            if isinstance(found, Attr):
                self._not_twice(found)
                gone.add(found.id)
        kept = tuple(attr for attr in self._output if attr.id not in gone)
        return self if len(kept) == len(self._output) else self._with(l.Project(self._plan, kept))

    def _not_twice(self, attr: Attr) -> None:
        if any(attr.id == each.id for each in self._output):
            self._own(attr)

    def alias(self, alias: str) -> Self:
        """The rows under a name: columns can be asked for as `"name.column"`.

        >>> df = spark.range(1).alias("t")
        >>> df.select("t.id").columns
        ['id']
        """
        if not isinstance(alias, str):
            raise PySparkTypeError(f"alias must be a str: {alias!r}", "NOT_EXPECTED_TYPE")
        return self._with(l.Known(self._plan, (alias,)))

    def colRegex(self, colName: str) -> Column:
        """The columns whose names fit a regular expression in backquotes.

        >>> df = spark.createDataFrame([(1, 2, 3)], ["a1", "a2", "b"])
        >>> df.select(df.colRegex("`a.*`")).columns
        ['a1', 'a2']
        """
        if not isinstance(colName, str):
            raise PySparkTypeError(f"colName must be a str: {colName!r}", "NOT_EXPECTED_TYPE")
        if not (colName.startswith("`") and colName.endswith("`")):
            return Column(self._find(colName))
        flags = 0 if self._engine.settings.case_sensitive else re.IGNORECASE
        fits = re.compile(colName[1:-1], flags).fullmatch
        return Column(Several(tuple(attr for attr in self._output if fits(attr.name))))

    def _exprs(self, cols: Sequence[Any]) -> list[Expr]:
        found: list[Expr] = []
        for expr in super()._exprs(cols):
            found += expr.attrs if isinstance(expr, Several) else [expr]
        return found

    def transform(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """`func` of the DataFrame, for chains.

        >>> spark.range(3).transform(lambda df, n: df.limit(n), 2).count()
        2
        """
        found = func(self, *args, **kwargs)
        if not isinstance(found, Core):
            raise AssertionError(f"the function must give a DataFrame, not {type(found).__name__}")
        return found

    def to(self, schema: t.StructType) -> Self:
        """The rows with the columns of a schema: by name, in its order, cast to its types."""
        columns: list[Expr] = []
        for field in schema.fields:
            there = [a for a in self._output if self._same_name(a.name, field.name)]
            if len(there) > 1:
                raise AnalysisException(f"{field.name} is ambiguous", "AMBIGUOUS_COLUMN_OR_FIELD")
            if not there and not field.nullable:
                raise AnalysisException(
                    f"there is no column {field.name}", "UNRESOLVED_COLUMN.WITH_SUGGESTION"
                )
            child: Expr = there[0] if there else Literal(None, field.dataType)
            if child.type != field.dataType:
                child = Cast(child, field.dataType, "asked")
            kept = tuple(field.metadata.items())
            columns.append(Alias(self._bound(child), field.name, metadata=kept))
        return self._with(l.Project(self._plan, tuple(columns)))  # type: ignore[arg-type]

    def metadataColumn(self, colName: str) -> Column:
        """Not there: columns about files. Use `input_file_name`."""
        raise NotImplementedError("DataFrame.metadataColumn is not there")

    # ---- some rows -------------------------------------------------------------------------------

    def limit(self, num: int) -> Self:
        """At most `num` rows.

        >>> spark.range(10).limit(3).count()
        3
        """
        _not_negative(num, "limit")
        return self._with(l.Limit(self._plan, num))

    def offset(self, num: int) -> Self:
        """All rows but the first `num`.

        >>> spark.range(10).orderBy("id").offset(8).collect()
        [Row(id=8), Row(id=9)]
        """
        _not_negative(num, "offset")
        return self._with(l.Limit(self._plan, None, num))

    def distinct(self) -> Self:
        """Every row once.

        >>> spark.range(6).select(F.col("id") % 2).distinct().count()
        2
        """
        return self._with(l.Distinct(self._plan))

    def dropDuplicates(self, subset: list[str] | None = None) -> Self:
        """A row for each value of some columns (of all, without arguments).

        >>> df = spark.createDataFrame([(1, "a"), (1, "b")], ["n", "w"])
        >>> df.dropDuplicates(["n"]).count()
        1
        """
        if subset is None:
            return self.distinct()
        if not isinstance(subset, list | tuple):
            raise PySparkTypeError(
                f"subset must be a list of names, not {type(subset).__name__}", "NOT_EXPECTED_TYPE"
            )
        if not subset:
            return self.distinct()
        keys: list[Attr] = []
        for name in subset:
            keys += [attr for attr in self._output if self._same_name(attr.name, name)] or [
                self._find(name)
            ]
        return self._with(l.Distinct(self._plan, tuple(dict.fromkeys(keys))))

    drop_duplicates = dropDuplicates

    def dropDuplicatesWithinWatermark(self, subset: list[str] | None = None) -> Self:
        """Not there: streaming."""
        raise NotImplementedError("DataFrame.dropDuplicatesWithinWatermark is not there")


class Several(Expr):
    """Columns that stand for one argument of select."""

    def __init__(self, attrs: tuple[Attr, ...]) -> None:
        object.__setattr__(self, "attrs", attrs)

    attrs: tuple[Attr, ...]


def _of_one_row(expr: Expr) -> bool:
    """Whether a typed expression needs nothing but the row itself."""
    return not any(
        isinstance(each, Over | Query)
        or (
            isinstance(each, Call)
            and (kind_of(each) != "scalar" or each.name in requests.NEED_COLUMNS)
        )
        for each in walk(expr)
    )


def _shown(plan: l.Plan, more: Sequence[Attr]) -> l.Plan:
    """The plan with columns of below its Project let through."""
    if isinstance(plan, l.Project):
        return replace(plan, columns=(*plan.columns, *more))
    assert isinstance(plan, l.One)
    return replace(plan, child=_shown(plan.child, more))


def _not_negative(num: int, what: str) -> None:
    if not isinstance(num, int):
        raise PySparkTypeError(f"{what} takes a whole number, not {num!r}", "NOT_EXPECTED_TYPE")
    if num < 0:
        raise AnalysisException(
            f"{what} takes a number that is not negative, and not {num}",
            "INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE",
        )
