"""What all subjects of a DataFrame build on: its plan, its session, its columns."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

from minispark.errors import (
    AnalysisException,
    PySparkAttributeError,
    PySparkTypeError,
)
from minispark.sql.column import Column, expr_of, named
from minispark.sql.errors import translated
from minispark.sql.texts import expression
from planner.columns import types as t
from planner.columns.expressions import Attr, Expr, walk
from planner.columns.typing import AnalysisError, Scope, bind
from planner.query import logical as l
from planner.query.analysis import requests
from planner.site import call_site

if TYPE_CHECKING:
    from minispark.sql.engine import QueryEngine
    from minispark.sql.session import SparkSession

_numbers = itertools.count(1)


@dataclass(frozen=True, eq=False)
class Of(Attr):
    """A column that the user took from a DataFrame, with the number of that DataFrame."""

    frame: int = 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Attr) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)


Line = tuple[int, tuple[Any, ...]]
_NOTHING: Mapping[int, frozenset[int]] = MappingProxyType({})


def numbers(line: Line) -> frozenset[int]:
    """The numbers of a DataFrame and all that it was made of.

    >>> sorted(numbers((3, ((1, ()), (2, ((1, ()),))))))
    [1, 2, 3]
    """
    found: set[int] = set()
    todo = [line]
    while todo:
        number, parents = todo.pop()
        if number not in found:
            found.add(number)
            todo.extend(parents)
    return frozenset(found)


class Core:
    """A handle is thin: the plan is a value.

    `_twice` has the ids of columns that stand on both sides of a self-join below, with the numbers
    of the DataFrames that stand on its left alone: a Column taken from another one of before the
    join could mean either side. `_line` is the number with the lines of those it was made of.
    """

    def __init__(
        self, plan: l.Plan, session: SparkSession, twice: Mapping[int, frozenset[int]] = _NOTHING
    ) -> None:
        self._plan = plan
        self._session = session
        self._number = next(_numbers)
        self._twice = twice
        self._since = self._number if twice else 0
        self._line: Line = (self._number, ())
        self._names: t.StructType | None = None

    @property
    def sparkSession(self) -> SparkSession:
        """The session.

        >>> spark.range(1).sparkSession is spark
        True
        """
        return self._session

    @property
    def _engine(self) -> QueryEngine:
        return self._session._engine

    def _with(
        self,
        plan: l.Plan,
        twice: Mapping[int, frozenset[int]] = _NOTHING,
        other: Core | None = None,
    ) -> Self:
        """Another DataFrame of the session; nodes that are new get the user's line."""
        if plan.site.line == 0:
            site, fresh = call_site(), [plan]
            while fresh:
                node = fresh.pop()
                if node.site.line == 0:
                    object.__setattr__(node, "site", site)
                    fresh.extend(node.children if site.line else ())
        made = type(self)(plan, self._session, {**self._twice, **twice})
        made._line = (made._number, (self._line, *([] if other is None else [other._line])))
        if self._twice and not twice:
            made._since = self._since
        return made

    # ---- columns ---------------------------------------------------------------------------------

    @property
    def _output(self) -> tuple[Attr, ...]:
        return self._plan.output

    def _scope(self) -> Scope:
        own = self._session._views.call
        return Scope(self._plan.output, self._engine.settings, call=own)

    def _found(self, exprs: Sequence[Expr]) -> list[Expr]:
        """Typed expressions over the columns that come out, or else over those too that a selection
        left out."""
        scope = self._scope()
        try:
            return [bind(expr, scope) for expr in exprs]
        except AnalysisError as error:
            mine = {attr.name for attr in self._output}
            unseen = [attr for attr in hidden(self._plan) if attr.name not in mine]
            scope = replace(scope, attrs=(*self._output, *unseen), _table=None)
            try:
                return [bind(expr, scope) for expr in exprs]
            except AnalysisError:
                raise error from None

    def _bound(self, expr: Expr) -> Expr:
        """A typed expression over the columns of this DataFrame.

        Raises
        ------
        AnalysisException
            It asks for what is not here.
        """
        self._own(expr)
        with translated():
            return bind(expr, self._scope())

    def _own(self, *exprs: Expr) -> None:
        """Refuse columns of other DataFrames, and those that a self-join made ambiguous."""
        here: set[int] | None = None
        for expr in exprs:
            for each in walk(expr):
                if not isinstance(each, Attr):
                    continue
                if (
                    isinstance(each, Of)
                    and each.frame < self._since
                    and each.frame not in self._twice.get(each.id, (each.frame,))
                ):
                    raise AnalysisException(
                        f"the column {each.name} was taken from a DataFrame that stands on both "
                        "sides of a join, so it could be either: give the sides names with alias, "
                        'and ask for col("side.column")',
                        "_LEGACY_ERROR_TEMP_1182",
                    )
                if here is None:
                    here = {attr.id for attr in self._reachable()}
                if each.id not in here:
                    raise AnalysisException(
                        f"the column {each.name} belongs to another DataFrame; here there are "
                        f"{', '.join(self.columns[:10])}",
                        "MISSING_ATTRIBUTES.RESOLVED_ATTRIBUTE_MISSING_FROM_INPUT",
                    )

    def _reachable(self) -> Sequence[Attr]:
        """The columns that may be asked for: those that come out, and those hidden below."""
        return (*self._output, *hidden(self._plan))

    def _exprs(self, cols: Sequence[Any]) -> list[Expr]:
        """Columns and names as expressions, `here` refused if they are of other DataFrames."""
        for col in cols:
            if not isinstance(col, Column | str | Expr):
                raise PySparkTypeError(
                    f"a column is given as a Column or a str, and not as {type(col).__name__}: "
                    f"{col!r}; lit() makes a constant",
                    "NOT_EXPECTED_TYPE",
                )
        found = [named(col) for col in cols]
        self._own(*found)
        return found

    def _condition(self, condition: Any) -> Expr:
        """A condition, given as a Column or in SQL."""
        if isinstance(condition, str):
            return expression(condition)
        if isinstance(condition, Column):
            self._own(condition._expr)
            return condition._expr
        raise PySparkTypeError(
            f"a condition is a Column or a str, not {type(condition).__name__}",
            "NOT_EXPECTED_TYPE",
        )

    def _find(self, name: str) -> Attr:
        """The one column of a name. Raises AnalysisException."""
        found = self._bound(named(name))
        assert isinstance(found, Attr)
        return found

    def _same_name(self, a: str, b: str) -> bool:
        return a == b if self._engine.settings.case_sensitive else a.lower() == b.lower()

    @property
    def schema(self) -> t.StructType:
        """Names and types of the columns.

        >>> spark.range(1).schema
        StructType([StructField('id', LongType(), False)])
        """
        if self._names is None:
            self._names = t.StructType(
                [
                    t.StructField(attr.name, attr.kind, attr.null, dict(attr.metadata))
                    for attr in self._output
                ]
            )
        return self._names

    @property
    def columns(self) -> list[str]:
        """The names of the columns.

        >>> spark.range(1).columns
        ['id']
        """
        return [attr.name for attr in self._output]

    @property
    def dtypes(self) -> list[tuple[str, str]]:
        """Names of columns with their types.

        >>> spark.range(1).dtypes
        [('id', 'bigint')]
        """
        return [(attr.name, attr.kind.simpleString()) for attr in self._output]

    def _column(self, expr: Expr) -> Column:
        """A Column for the user, who may use it on other DataFrames."""
        if isinstance(expr, Attr):
            kept = {
                key: getattr(expr, key)
                for key in ("name", "kind", "null", "id", "qualifiers", "metadata")
            }
            return Column(Of(**kept, frame=self._number))
        return Column(expr)

    def __getitem__(self, item: Any) -> Any:
        if isinstance(item, str):
            expr = named(item)
            if type(expr).__name__ == "Star":
                return Column(expr)
            with translated():
                return self._column(requests.item(expr, self._scope()))
        if isinstance(item, Column):
            return self._filtered(item)
        if isinstance(item, list | tuple):
            return self._selected(item)
        if isinstance(item, int) and not isinstance(item, bool):
            if not -len(self._output) <= item < len(self._output):
                raise IndexError(f"there is no column {item}: there are {len(self._output)}")
            return self._column(self._output[item])
        raise PySparkTypeError(
            f"a DataFrame is asked by name, place, condition or list, not {type(item).__name__}",
            "NOT_EXPECTED_TYPE",
        )

    def _filtered(self, condition: Any) -> Self:
        expr = self._condition(condition)
        with translated():
            return self._with(requests.where(self._plan, expr, self._scope()))

    def _selected(self, cols: Sequence[Any]) -> Self:
        exprs = self._exprs(cols)
        with translated():
            return self._with(requests.select(self._plan, exprs, self._scope()))

    def __getattr__(self, name: str) -> Column:
        if name.startswith("__") or "_plan" not in self.__dict__:
            raise AttributeError(name)
        if not any(self._same_name(attr.name, name) for attr in self._output):
            raise PySparkAttributeError(
                f"a DataFrame has no attribute {name}, and this one no such column; it has "
                f"{', '.join(self.columns[:10])}",
                "ATTRIBUTE_NOT_SUPPORTED",
            )
        found: Column = self[f"`{name}`" if "." in name else name]
        return found

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *(c for c in self.columns if c.isidentifier())})

    def _ipython_key_completions_(self) -> list[str]:
        """What IPython offers after `df["`."""
        return self.columns

    def __repr__(self) -> str:
        return f"DataFrame[{', '.join(f'{name}: {kind}' for name, kind in self.dtypes)}]"


def hidden(plan: l.Plan) -> Sequence[Attr]:
    """Columns below a plan that can be put back: those that a join with USING took away, and those
    that a selection left out (for filters and sorts above it)."""
    node = plan
    while isinstance(node, l.Filter | l.Sort | l.Limit | l.Hint):
        node = node.child
    return node.child.output if isinstance(node, l.Project) else ()


def renamed(attr: Attr, name: str) -> Attr:
    """The same column under another name."""
    return replace(attr, name=name)


def value_of(value: Any) -> Expr:
    """A Column or constant as an expression."""
    return expr_of(value)
