"""DataFrames one under the other, what both have, samples, and rows turned into columns."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, Self

from minispark.errors import (
    AnalysisException,
    IllegalArgumentException,
    PySparkTypeError,
    PySparkValueError,
)
from minispark.sql.dataframe.core import Core
from minispark.sql.errors import translated
from planner.columns import types as t
from planner.columns.coercion import common, implied, widest
from planner.columns.expressions import Alias, Attr, Call, Cast, Expr, Literal, Order
from planner.query import logical as l


class Sets(Core):
    """Rows of several DataFrames."""

    def union(self, other: Core) -> Self:
        """The rows of both, columns by place; equal rows stay.

        >>> spark.range(2).union(spark.range(1)).count()
        3
        """
        left, right = self._alike(self._plan, other, "UNION")
        pairs = zip(left.output, right.output, strict=True)
        attrs = tuple(Attr(a.name, a.kind, a.null or b.null) for a, b in pairs)
        return self._with(l.Union((left, right), attrs))

    unionAll = union

    def unionByName(self, other: Core, allowMissingColumns: bool = False) -> Self:
        """The rows of both, columns by name; with `allowMissingColumns` NULL where one has none.

        >>> a = spark.createDataFrame([(1, "x")], ["n", "w"])
        >>> b = spark.createDataFrame([("y", 2)], ["w", "n"])
        >>> a.unionByName(b).orderBy("n").collect()
        [Row(n=1, w='x'), Row(n=2, w='y')]
        """
        if not isinstance(other, Core):
            raise PySparkTypeError(f"other must be a DataFrame: {other!r}", "NOT_EXPECTED_TYPE")
        mine, theirs = list(self._output), list(other._output)
        ordered: list[Attr | Alias] = []
        for attr in mine:
            there = [each for each in theirs if self._same_name(each.name, attr.name)]
            if there:
                ordered.append(there[0])
            elif allowMissingColumns:
                ordered.append(Alias(Literal(None, attr.kind), attr.name))
            else:
                raise AnalysisException(
                    f"the other side has no column {attr.name}; it has "
                    f"{', '.join(a.name for a in theirs)}",
                    "UNRESOLVED_COLUMN_AMONG_FIELD_NAMES",
                )
        rest = [a for a in theirs if not any(self._same_name(a.name, m.name) for m in mine)]
        if rest and not allowMissingColumns:
            raise AnalysisException(
                f"this side has no column {rest[0].name}; use allowMissingColumns=True for NULL",
                "NUM_COLUMNS_MISMATCH",
            )
        left: Self = self
        if rest:
            nothing = tuple(Alias(Literal(None, a.kind), a.name) for a in rest)
            left = self._with(l.Project(self._plan, (*self._output, *nothing)))
        right = other._with(l.Project(other._plan, (*ordered, *rest)))
        return left.union(right)

    def intersect(self, other: Core) -> Self:
        """The rows that both have, each once.

        >>> spark.range(5).intersect(spark.range(2)).count()
        2
        """
        return self._set(other, "intersect", False)

    def intersectAll(self, other: Core) -> Self:
        """The rows that both have, as often as both have them."""
        return self._set(other, "intersect", True)

    def subtract(self, other: Core) -> Self:
        """The rows that the other has not, each once.

        >>> spark.range(5).subtract(spark.range(2)).count()
        3
        """
        return self._set(other, "except", False)

    def exceptAll(self, other: Core) -> Self:
        """The rows of this, each as often as it has it more often than the other."""
        return self._set(other, "except", True)

    def _set(self, other: Core, kind: str, every: bool) -> Self:
        word = f"{kind.upper()}{' ALL' if every else ''}"
        left, right = self._alike(self._plan, other, word)
        return self._with(l.SetOp(left, right, kind, every))

    def _alike(self, left: l.Plan, other: Core, word: str) -> tuple[l.Plan, l.Plan]:
        """Both sides with columns of the same types, and no column on both."""
        if not isinstance(other, Core):
            raise PySparkTypeError(f"other must be a DataFrame: {other!r}", "NOT_EXPECTED_TYPE")
        right = other._plan
        if len(left.output) != len(right.output):
            raise AnalysisException(
                f"{word}: the sides have {len(left.output)} and {len(right.output)} columns",
                "NUM_COLUMNS_MISMATCH",
            )
        if {a.id for a in left.output} & {a.id for a in right.output}:
            right = l.renewed(right)
        kinds = []
        for a, b in zip(left.output, right.output, strict=True):
            kind = a.kind if t.nullable(a.kind) == t.nullable(b.kind) else widest(a.kind, b.kind)
            if kind is None:
                raise AnalysisException(
                    f"{word}: the column {a.name} is {a.kind.simpleString()} on the left and "
                    f"{b.kind.simpleString()} on the right",
                    "INCOMPATIBLE_COLUMN_TYPE",
                )
            kinds.append(kind)
        return cast_to(left, kinds), cast_to(right, kinds)

    # ---- samples ---------------------------------------------------------------------------------

    def sample(
        self,
        withReplacement: Any = None,
        fraction: Any = None,
        seed: int | None = None,
    ) -> Self:
        """About a fraction of the rows: `sample(fraction)`, `sample(fraction, seed)`, or all three.

        >>> 0 < spark.range(1000).sample(0.5, seed=1).count() < 1000
        True
        """
        if not isinstance(withReplacement, bool) and withReplacement is not None:
            withReplacement, fraction, seed = (
                False,
                withReplacement,
                seed if fraction is None else fraction,
            )
        if not isinstance(fraction, int | float):
            raise PySparkTypeError("sample needs a fraction", "NOT_EXPECTED_TYPE")
        again = bool(withReplacement)
        if fraction < 0 or (fraction > 1 and not again):
            raise IllegalArgumentException(
                f"a fraction is from 0{'' if again else ' to 1'}, and not {fraction}"
            )
        seed = random.getrandbits(31) if seed is None else int(seed)
        return self._with(l.Sample(self._plan, 0.0, float(fraction), seed, again))

    def randomSplit(self, weights: list[float], seed: int | None = None) -> list[Self]:
        """The rows dealt to several DataFrames by chance, in proportion to weights.

        >>> sum(part.count() for part in spark.range(100).randomSplit([1.0, 2.0], seed=3))
        100
        """
        if any(weight < 0 for weight in weights):
            raise PySparkValueError("weights must not be negative", "VALUE_NOT_POSITIVE")
        total = sum(weights)
        if total <= 0:
            raise IllegalArgumentException(f"the sum of weights must be positive: {weights}")
        seed = random.getrandbits(31) if seed is None else int(seed)
        bounds = [0.0]
        for weight in weights:
            bounds.append(bounds[-1] + weight / total)
        bounds[-1] = 1.0
        ends = zip(bounds[:-1], bounds[1:], strict=True)
        return [self._with(l.Sample(self._plan, low, high, seed)) for low, high in ends]

    # ---- columns into rows -----------------------------------------------------------------------

    def unpivot(self, ids: Any, values: Any, variableColumnName: str, valueColumnName: str) -> Self:
        """A row for each value of some columns, with the name of its column.

        Parameters
        ----------
        ids : column, or list of columns
            What every row keeps.
        values : column, list of columns, or None
            Whose values become rows; all others for None.
        variableColumnName, valueColumnName : str
            The new columns.

        Examples
        --------
        >>> df = spark.createDataFrame([(1, 2.0, 3.0)], ["id", "a", "b"])
        >>> df.unpivot("id", ["a", "b"], "name", "value").collect()
        [Row(id=1, name='a', value=2.0), Row(id=1, name='b', value=3.0)]
        """
        kept = self._attrs(ids)
        given = self._attrs(values) if values is not None else None
        if given is None:
            given = [a for a in self._output if a not in kept]
        if not given:
            raise AnalysisException("unpivot needs columns", "UNPIVOT_REQUIRES_VALUE_COLUMNS")
        texts = {isinstance(a.kind, t.StringType) for a in given if a.kind != t.NULL}
        kind = common(attr.kind for attr in given) if len(texts) < 2 else None
        if kind is None:
            shown = ", ".join(f"{a.name} {a.kind.simpleString()}" for a in given)
            raise AnalysisException(
                f"the columns have no type in common: {shown}", "UNPIVOT_VALUE_DATA_TYPE_MISMATCH"
            )
        attrs = (
            *(Attr(a.name, a.kind, a.null, metadata=a.metadata) for a in kept),
            Attr(variableColumnName, t.STRING, False),
            Attr(valueColumnName, kind, any(a.null for a in given)),
        )
        projections = tuple(
            (*kept, Literal(attr.name, t.STRING), implied(attr, kind)) for attr in given
        )
        return self._with(l.Expand(self._plan, projections, attrs))

    melt = unpivot

    def transpose(self, indexColumn: Any = None) -> Self:
        """The columns as rows: their names in a column `key`, and a column for each row, named by
        its value of `indexColumn` (the first column). Runs a job.

        >>> df = spark.createDataFrame([("a", 1, 2), ("b", 3, 4)], ["name", "x", "y"])
        >>> df.transpose().collect()
        [Row(key='x', a=1, b=3), Row(key='y', a=2, b=4)]
        """
        index = self._output[0] if indexColumn is None else self._attrs(indexColumn)[0]
        rest = [attr for attr in self._output if attr != index]
        kind = common(attr.kind for attr in rest)
        if kind is None:
            shown = ", ".join(f"{a.name} {a.kind.simpleString()}" for a in rest)
            raise AnalysisException(
                f"the columns have no type in common: {shown}", "TRANSPOSE_NO_LEAST_COMMON_TYPE"
            )
        most = int(self._session.conf.get("spark.sql.transposeMaxValues", "500") or 500)
        name = self._bound(Cast(index, t.STRING, "asked"))
        columns = [Alias(name, "key"), *(Alias(implied(a, kind), a.name) for a in rest)]
        there = l.Filter(self._plan, self._bound(Call("isnotnull", (index,))))
        ordered = l.Limit(l.Sort(there, (Order(index),)), most + 1)
        rows = self._with(l.Project(ordered, tuple(columns))).collect()  # type: ignore[attr-defined]
        if len(rows) > most:
            raise AnalysisException(
                f"there are more than {most} rows; set spark.sql.transposeMaxValues",
                "TRANSPOSE_EXCEED_ROW_LIMIT",
            )
        fields = [t.StructField("key", t.STRING, False)]
        fields += [t.StructField(row[0], kind, True) for row in rows]
        data = [(a.name, *(row[at] for row in rows)) for at, a in enumerate(rest, 1)]
        made = self._session.createDataFrame(data, t.StructType(fields))
        return self._with(made._plan)

    def _attrs(self, cols: Any) -> list[Attr]:
        given = list(cols) if isinstance(cols, list | tuple) else [cols]
        found: list[Attr] = []
        for expr in self._exprs(given):
            with translated():
                bound = self._bound(expr)
            if not isinstance(bound, Attr):
                raise AnalysisException("unpivot takes columns", "UNPIVOT_REQUIRES_ATTRIBUTES")
            found.append(bound)
        return found

    def zipWithIndex(self, indexColName: str = "index") -> Self:
        """Not there. Use row_number() over a window, or df.rdd.zipWithIndex()."""
        raise NotImplementedError("DataFrame.zipWithIndex is not there; use row_number()")

    def zip(self, other: Core) -> Self:
        """Not there: rows by place. Use df.rdd.zip()."""
        raise NotImplementedError("DataFrame.zip is not there; use df.rdd.zip")


def cast_to(plan: l.Plan, kinds: Sequence[t.DataType]) -> l.Plan:
    """The plan with columns of these types."""
    columns: list[Attr | Alias] = []
    same = True
    for attr, kind in zip(plan.output, kinds, strict=True):
        found: Expr = implied(attr, kind)
        same = same and found is attr
        columns.append(attr if found is attr else Alias(found, attr.name, metadata=attr.metadata))
    return plan if same else l.Project(plan, tuple(columns))
