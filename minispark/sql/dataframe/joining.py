"""Joins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from minispark.errors import AnalysisException, PySparkIndexError, PySparkTypeError
from minispark.sql.column import Column
from minispark.sql.dataframe.core import Core, Of, numbers
from minispark.sql.errors import translated
from planner.columns import types as t
from planner.columns.conditions import conjunction
from planner.columns.expressions import Alias, Attr, Call, Expr, rewrite, walk
from planner.columns.typing import Scope, bind
from planner.query import logical as l
from planner.query.analysis.naming import text_of

KINDS = {
    "inner": "inner",
    "cross": "cross",
    "outer": "full",
    "full": "full",
    "fullouter": "full",
    "left": "left",
    "leftouter": "left",
    "right": "right",
    "rightouter": "right",
    "semi": "semi",
    "leftsemi": "semi",
    "anti": "anti",
    "leftanti": "anti",
}


class Joining(Core):
    """Rows of two DataFrames together."""

    def join(self, other: Core, on: Any = None, how: str | None = None) -> Self:
        """The rows of both that fit together.

        Parameters
        ----------
        other : DataFrame
            The right side.
        on : str, list of str, Column or list of Columns, optional
            Names that both sides have (each comes out once), or a condition. Without it every row
            of the one meets every row of the other.
        how : str, default "inner"
            inner, cross, left, right, full (or outer), semi or anti; also with "_outer" and
            "left_".

        Raises
        ------
        AnalysisException
            A name is not on both sides, or `how` is unknown.

        Examples
        --------
        >>> ages = spark.createDataFrame([("Ann", 3), ("Bob", 4)], ["name", "age"])
        >>> pets = spark.createDataFrame([("Ann", "cat")], ["name", "pet"])
        >>> ages.join(pets, "name", "left").orderBy("name").collect()
        [Row(name='Ann', age=3, pet='cat'), Row(name='Bob', age=4, pet=None)]
        """
        kind = _kind(how)
        if not isinstance(other, Core):
            raise PySparkTypeError(f"other must be a DataFrame: {other!r}", "NOT_EXPECTED_TYPE")
        if isinstance(on, list | tuple) and not on:
            raise PySparkIndexError(
                "on is empty: name a column, or use crossJoin", "CANNOT_BE_EMPTY"
            )
        right, twice = self._beside(other)
        if on is None:
            if kind in ("inner", "cross"):
                kind = "cross"
            return self._joined(l.Join(self._plan, right, kind), other, twice)
        given = list(on) if isinstance(on, list | tuple) else [on]
        if given and all(isinstance(each, str) for each in given):
            return self._using(other, right, given, kind, twice)
        if not all(isinstance(each, Column) for each in given):
            raise PySparkTypeError("on takes names, or Columns, and not both", "NOT_EXPECTED_TYPE")
        condition = self._on(other, right, [each._expr for each in given])
        kind = "inner" if kind == "cross" else kind
        return self._joined(l.Join(self._plan, right, kind, condition), other, twice)

    def crossJoin(self, other: Core) -> Self:
        """Every row of the one with every row of the other.

        >>> spark.range(3).crossJoin(spark.range(2)).count()
        6
        """
        if not isinstance(other, Core):
            raise PySparkTypeError(f"other must be a DataFrame: {other!r}", "NOT_EXPECTED_TYPE")
        right, twice = self._beside(other)
        return self._joined(l.Join(self._plan, right, "cross"), other, twice)

    def lateralJoin(self, other: Core, on: Column | None = None, how: str | None = None) -> Self:
        """Not there: a join whose right side uses the left's columns. Use LATERAL in SQL."""
        raise NotImplementedError("DataFrame.lateralJoin is not there; use LATERAL in SQL")

    def _joined(self, plan: l.Plan, other: Core, twice: frozenset[int]) -> Self:
        alone = self._alone(other) if twice else frozenset()
        return self._with(plan, {**other._twice, **dict.fromkeys(twice, alone)}, other)

    def _alone(self, other: Core) -> frozenset[int]:
        """The DataFrames that stand on the left side of a join and not on the right too."""
        return numbers(self._line) - numbers(other._line)

    def _beside(self, other: Core) -> tuple[l.Plan, frozenset[int]]:
        """The right side, with columns of its own where both sides have the same ones; those."""
        left = {attr.id for attr in self._output}
        both = frozenset(attr.id for attr in other._output if attr.id in left)
        if not both:
            return other._plan, both
        fresh = l.renewed(other._plan)
        named = {a.qualifiers for a in other._output if a.qualifiers}
        if not named:
            return fresh, both
        if len(named) == 1 and all(a.qualifiers for a in other._output):
            return l.Known(fresh, next(iter(named))), both
        raise AnalysisException(
            "both sides have the same columns, under several names: give the right side one name "
            "with alias",
            "_LEGACY_ERROR_TEMP_1182",
        )

    def _on(self, other: Core, right: l.Plan, exprs: Sequence[Expr]) -> Expr:
        """The condition over both sides; the same column twice in an equality is one of each."""
        pairs = zip(other._output, right.output, strict=True)
        fresh = {old.id: new for old, new in pairs if old.id != new.id}

        def sides(expr: Expr) -> Expr:
            if isinstance(expr, Call) and expr.name in ("=", "==", "<=>") and len(expr.args) == 2:
                a, b = expr.args
                if isinstance(a, Attr) and isinstance(b, Attr) and a.id == b.id and a.id in fresh:
                    return expr.with_children((_plain(a), fresh[a.id]))
            return expr

        conditions = [rewrite(expr, sides) for expr in exprs]
        alone = self._alone(other) if fresh else frozenset()
        for condition in conditions:
            for each in walk(condition):
                if isinstance(each, Of) and each.id in fresh and each.frame not in alone:
                    raise AnalysisException(
                        f"the column {each.name} is on both sides of the join, which come from "
                        "the same DataFrame: give the sides names with alias, and ask for "
                        'col("side.column")',
                        "_LEGACY_ERROR_TEMP_1182",
                    )
        scope = Scope((*self._output, *right.output), self._engine.settings)
        with translated():
            bound = [bind(condition, scope) for condition in conditions]
        here = {attr.id for attr in scope.attrs}
        for expr in bound:
            if expr.type not in (t.BOOLEAN, t.NULL):
                raise AnalysisException(
                    f"a join needs a condition, and {text_of(expr)} is {expr.type.simpleString()}",
                    "JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE",
                )
            for each in walk(expr):
                if isinstance(each, Attr) and each.id not in here:
                    raise AnalysisException(
                        f"the column {each.name} is on neither side of the join",
                        "MISSING_ATTRIBUTES.RESOLVED_ATTRIBUTE_MISSING_FROM_INPUT",
                    )
        return conjunction(bound)

    def _using(
        self, other: Core, right: l.Plan, names: Sequence[str], kind: str, twice: frozenset[int]
    ) -> Self:
        """A join on columns that both sides have: each comes out once, first."""
        settings = self._engine.settings
        sides = []
        for plan, word in ((self._plan, "left"), (right, "right")):
            found = []
            for name in names:
                there = [a for a in plan.output if self._same_name(a.name, name)]
                if len(there) != 1:
                    raise AnalysisException(
                        f"the {word} side of the join has {'no' if not there else 'more than one'} "
                        f"column {name}; it has {', '.join(a.name for a in plan.output)}",
                        "UNRESOLVED_USING_COLUMN_FOR_JOIN" if not there else "AMBIGUOUS_REFERENCE",
                    )
                found.append(there[0])
            sides.append(found)
        left_keys, right_keys = sides
        scope = Scope((*self._output, *right.output), settings)
        with translated():
            equal = [
                bind(Call("=", (a, b)), scope) for a, b in zip(left_keys, right_keys, strict=True)
            ]
            joined = l.Join(
                self._plan, right, "inner" if kind == "cross" else kind, conjunction(equal)
            )
            if kind in ("semi", "anti"):
                return self._joined(joined, other, twice)
            out = {attr.id: attr for attr in joined.output}
            keys: list[Attr | Alias] = []
            for a, b in zip(left_keys, right_keys, strict=True):
                if kind == "full":
                    both = bind(Call("coalesce", (out[a.id], out[b.id])), scope)
                    keys.append(Alias(both, a.name))
                else:
                    keys.append(out[b.id] if kind == "right" else out[a.id])
        gone = {attr.id for attr in (*left_keys, *right_keys)}
        rest = [attr for attr in joined.output if attr.id not in gone]
        return self._joined(l.Project(joined, (*keys, *rest)), other, twice)


def _plain(attr: Attr) -> Attr:
    return Attr(attr.name, attr.kind, attr.null, attr.id, attr.qualifiers, attr.metadata)


def _kind(how: str | None) -> str:
    if how is None:
        return "inner"
    if not isinstance(how, str):
        raise PySparkTypeError(f"how must be a str: {how!r}", "NOT_EXPECTED_TYPE")
    found = KINDS.get(how.lower().replace("_", ""))
    if found is None:
        raise AnalysisException(
            f"there is no join {how!r}: use one of {', '.join(sorted(KINDS))}",
            "UNSUPPORTED_JOIN_TYPE",
        )
    return found
