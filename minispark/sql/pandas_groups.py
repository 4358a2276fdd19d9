"""Python functions over groups of rows: applyInPandas, applyInArrow, cogroup."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from executors.relational.python import ApplyGroups, CoGroups
from minispark.errors import AnalysisException
from minispark.sql.crossing import attrs_of
from minispark.sql.dataframe.python import refuse_no_function, struct_named
from planner.columns import types as t
from planner.columns.coercion import implied, widest
from planner.columns.expressions import Alias, Attr, Expr, Literal
from planner.query import logical as l
from planner.query.analysis.naming import text_of

if TYPE_CHECKING:
    from minispark.sql.dataframe.dataframe import DataFrame
    from minispark.sql.group import GroupedData


def applied(
    df: DataFrame, keys: Sequence[Expr], func: Callable[..., Any], schema: Any, style: str
) -> DataFrame:
    """The rows that `func` gives for each group."""
    label = "applyInPandas" if style == "pandas" else "applyInArrow"
    refuse_no_function(func, label)
    attrs = attrs_of(struct_named(schema))
    below, found = with_keys(df._plan, keys)
    zone = df._engine.settings.zone
    f = ApplyGroups(func, style, df._output, tuple(found), below.output, attrs, zone)
    if not found:
        below = l.Repartition(below, 1)
    return df._with(l.Batches(below, f, attrs, tuple(found), label))


def with_keys(plan: l.Plan, keys: Sequence[Expr]) -> tuple[l.Plan, list[Attr]]:
    """The plan with its keys as columns, and those."""
    columns = [key if isinstance(key, Attr | Alias) else Alias(key, text_of(key)) for key in keys]
    more = tuple(column for column in columns if isinstance(column, Alias))
    found = [column.attr if isinstance(column, Alias) else column for column in columns]
    return (l.Project(plan, (*plan.output, *more)) if more else plan), found


class PandasCogroupedOps:
    """Groups of two DataFrames with equal keys together: `a.groupBy(k).cogroup(b.groupBy(k))`.

    Examples
    --------
    >>> a = spark.createDataFrame([(1, "x")], ["k", "v"])
    >>> b = spark.createDataFrame([(1, "y"), (1, "z")], ["k", "w"])
    >>> def sizes(left, right):
    ...     return left[["k"]].head(1).assign(n=len(right))
    >>> both = a.groupBy("k").cogroup(b.groupBy("k"))
    >>> both.applyInPandas(sizes, "k long, n long").collect()
    [Row(k=1, n=2)]
    """

    def __init__(self, gd1: GroupedData, gd2: GroupedData) -> None:
        self._sides = (gd1, gd2)

    def applyInPandas(self, func: Callable[..., Any], schema: Any) -> DataFrame:
        """`func(left, right)` or `func(key, left, right)` of each key gives rows, as pandas."""
        return self._applied(func, schema, "pandas")

    def applyInArrow(self, func: Callable[..., Any], schema: Any) -> DataFrame:
        """As applyInPandas, with Arrow tables."""
        return self._applied(func, schema, "arrow")

    def _applied(self, func: Callable[..., Any], schema: Any, style: str) -> DataFrame:
        """Both sides under each other, told apart by a column: so equal keys meet."""
        one, other = self._sides
        if len(one._keys) != len(other._keys):
            raise AnalysisException(
                f"cogroup: {len(one._keys)} keys on the left, {len(other._keys)} on the right",
                "GROUP_BY_KEYS_DIFFER",
            )
        refuse_no_function(func, f"cogroup with {style}")
        df = one._df
        attrs = attrs_of(struct_named(schema))
        left, left_keys = with_keys(df._plan, one._keys)
        right, right_keys = with_keys(other._df._plan, other._keys)
        if {a.id for a in left.output} & {a.id for a in right.output}:
            fresh = l.renewed(right)
            places = {old.id: new for old, new in zip(right.output, fresh.output, strict=True)}
            right, right_keys = fresh, [places[key.id] for key in right_keys]
        kinds = [
            widest(a.kind, b.kind) or a.kind for a, b in zip(left_keys, right_keys, strict=True)
        ]
        keys = tuple(Attr(a.name, kind) for a, kind in zip(left_keys, kinds, strict=True))
        side = Attr("side", t.INT, False)
        sides = [
            _one_side(0, left, left_keys, kinds, right.output, first=True),
            _one_side(1, right, right_keys, kinds, left.output, first=False),
        ]
        union = l.Union(
            tuple(sides), (side, *keys, *map(_free, left.output), *map(_free, right.output))
        )
        wide = len(df._output), len(other._df._output)
        at = 1 + len(keys)
        places_of = (
            range(at, at + wide[0]),
            range(at + len(left.output), at + len(left.output) + wide[1]),
        )
        names = (df.columns, other._df.columns)
        zone = df._engine.settings.zone
        f = CoGroups(func, style, union.output, len(keys), places_of, names, attrs, zone)
        below = union if keys else l.Repartition(union, 1)
        return df._with(l.Batches(below, f, attrs, keys, "cogroup"))


def _free(attr: Attr) -> Attr:
    return Attr(attr.name, attr.kind, True)


def _one_side(
    number: int,
    plan: l.Plan,
    keys: Sequence[Attr],
    kinds: Sequence[t.DataType],
    others: Sequence[Attr],
    first: bool,
) -> l.Plan:
    """A side with its number, its keys, its columns, and NULLs for those of the other."""
    nothing = [Alias(Literal(None, attr.kind), attr.name) for attr in others]
    own = [Alias(attr, attr.name) for attr in plan.output]
    lead = [Alias(Literal(number, t.INT), "side")]
    lead += [Alias(implied(key, kind), key.name) for key, kind in zip(keys, kinds, strict=True)]
    rest = [*own, *nothing] if first else [*nothing, *own]
    return l.Project(plan, (*lead, *rest))
