"""Expressions over columns: a frozen tree.

A tree begins *unresolved*, as the user wrote it: `Name`, `Star`, calls without a type. `planner/
typing.py` makes it *typed*: names become attributes, every call knows its type, casts that SQL
implies are there. Only typed trees reach plans that run.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from operator import is_
from typing import Any, NamedTuple, Self

from planner.columns import types as t

_ids = itertools.count(1)


def new_id() -> int:
    """A number for a column that no other column of this process has."""
    return next(_ids)


class Untyped(Exception):
    """The type of an expression was asked for before it was resolved."""


@dataclass(frozen=True)
class Expr:
    """Base of all expressions. `type` and `nullable` are known once it is typed."""

    @property
    def children(self) -> tuple[Expr, ...]:
        return ()

    def with_children(self, children: tuple[Expr, ...]) -> Expr:
        """The same expression over other children."""
        assert not children
        return self

    @property
    def type(self) -> t.DataType:
        raise Untyped(f"{self!r} has no type yet")

    @property
    def nullable(self) -> bool:
        return True

    def changed(self, **values: Any) -> Self:
        """The same expression with other values of some fields: `dataclasses.replace`, in less
        time."""
        new = object.__new__(type(self))
        mine = new.__dict__
        mine.update(self.__dict__, **values)
        mine.pop(_FACTS, None)
        mine.pop(_ATTR, None)
        return new

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__
        if _FACTS in state or _ATTR in state:  # what was found out of it stays here
            state = {key: value for key, value in state.items() if key not in (_FACTS, _ATTR)}
        return state


_FACTS, _ATTR = "_facts", "_attr"


# ---- as the user wrote it ------------------------------------------------------------------------


@dataclass(frozen=True)
class Name(Expr):
    """A column by name: ('a',), ('table', 'a'), or with fields of structs after it."""

    parts: tuple[str, ...]


@dataclass(frozen=True)
class Star(Expr):
    """All columns, or all of one table or struct."""

    qualifier: tuple[str, ...] = ()


@dataclass(frozen=True)
class Query(Expr):
    """Base of subqueries: `plan` is a logical plan that may hold `Outer` columns."""

    plan: Any


@dataclass(frozen=True)
class ScalarQuery(Query):
    """The one value of a query of one column and at most one row; NULL if it has none."""

    @property
    def type(self) -> t.DataType:
        found: t.DataType = self.plan.output[0].type
        return found


@dataclass(frozen=True)
class ExistsQuery(Query):
    """Whether a query has rows."""

    @property
    def type(self) -> t.DataType:
        return t.BOOLEAN

    @property
    def nullable(self) -> bool:
        return False


@dataclass(frozen=True)
class InQuery(Query):
    """Whether `values` are a row of a query."""

    values: tuple[Expr, ...] = ()

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.values

    def with_children(self, children: tuple[Expr, ...]) -> Expr:
        return self.changed(values=children)

    @property
    def type(self) -> t.DataType:
        return t.BOOLEAN


# ---- leaves --------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Attr(Expr):
    """A column of a plan. Two are the same when their ids are; names may repeat.

    `qualifiers` are the names of the table it can be asked for with, the innermost last.
    """

    name: str
    kind: t.DataType
    null: bool = True
    id: int = field(default_factory=new_id)
    qualifiers: tuple[str, ...] = ()
    metadata: tuple[tuple[str, Any], ...] = ()

    @property
    def type(self) -> t.DataType:
        return self.kind

    @property
    def nullable(self) -> bool:
        return self.null

    @property
    def column(self) -> str:
        """The name of the physical column, which is unique: `name#id`."""
        return f"{self.name}#{self.id}"

    def called(self, qualifiers: tuple[str, ...]) -> Attr:
        """The same column, of a table of that name."""
        return self.changed(qualifiers=qualifiers)

    def or_null(self) -> Attr:
        """The same column, where rows may lack it."""
        return self if self.null else self.changed(null=True)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Attr) and self.id == other.id

    def __hash__(self) -> int:
        return self.id


@dataclass(frozen=True)
class Outer(Expr):
    """In a subquery, a column of the query around it."""

    attr: Attr

    @property
    def type(self) -> t.DataType:
        return self.attr.kind

    @property
    def nullable(self) -> bool:
        return self.attr.null


@dataclass(frozen=True)
class Literal(Expr):
    """A value: of a Python type that fits `kind`, or None."""

    value: Any
    kind: t.DataType

    @property
    def type(self) -> t.DataType:
        return self.kind

    @property
    def nullable(self) -> bool:
        return self.value is None


@dataclass(frozen=True)
class Variable(Expr):
    """An argument of a lambda function; typed when its function is."""

    name: str
    id: int = field(default_factory=new_id)
    kind: t.DataType | None = None
    null: bool = True

    @property
    def type(self) -> t.DataType:
        if self.kind is None:
            raise Untyped(self.name)
        return self.kind

    @property
    def nullable(self) -> bool:
        return self.null


# ---- inner nodes ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Call(Expr):
    """A function or operator of `planner/columns/functions`, by its name there.

    `distinct`, `where` and `order` are for aggregates; `kind` and `null` are set when it is typed.
    """

    name: str
    args: tuple[Expr, ...] = ()
    distinct: bool = False
    where: Expr | None = None
    kind: t.DataType | None = None
    null: bool = True
    ignore_nulls: bool = False
    shown: str = field(default="", compare=False)  # the form it was written in, where that shows

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.args if self.where is None else (*self.args, self.where)

    def with_children(self, children: tuple[Expr, ...]) -> Expr:
        if self.where is None:
            return self.changed(args=children)
        return self.changed(args=children[:-1], where=children[-1])

    @property
    def type(self) -> t.DataType:
        if self.kind is None:
            raise Untyped(self.name)
        return self.kind

    @property
    def nullable(self) -> bool:
        return self.null


@dataclass(frozen=True)
class Cast(Expr):
    """A value as another type. `mode`: 'ansi' raises where it cannot be, 'try' and 'legacy' give
    NULL ('legacy' also wraps numbers), 'implied' is one that SQL itself put there; 'asked' is one
    that the user wrote, before it is typed as 'ansi' or 'legacy' by the settings."""

    child: Expr
    kind: t.DataType
    mode: str = "implied"
    hidden: bool = field(default=False, compare=False)  # not shown: SQL itself put it there

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.child,)

    def with_children(self, children: tuple[Expr, ...]) -> Expr:
        return self.changed(child=children[0])

    @property
    def type(self) -> t.DataType:
        return self.kind

    @property
    def nullable(self) -> bool:
        return self.child.nullable or _loses(self.child.type, self.kind, self.mode)


def _loses(old: t.DataType, new: t.DataType, mode: str) -> bool:
    """Whether a cast may make NULL of a value, as Spark tells it."""
    if mode == "implied" or isinstance(new, t.StringType):
        return False
    moments = (t.DateType, t.TimestampType, t.TimestampNTZType)
    if isinstance(old, moments) and isinstance(new, moments):
        return False
    numbers = isinstance(old, t.NumericType) and isinstance(new, t.NumericType)
    return not (mode == "ansi" and numbers)


@dataclass(frozen=True)
class Alias(Expr):
    """A name for the value of an expression; as an output column it has the id."""

    child: Expr
    name: str
    id: int = field(default_factory=new_id)
    metadata: tuple[tuple[str, Any], ...] | None = None

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.child,)

    def with_children(self, children: tuple[Expr, ...]) -> Expr:
        return self.changed(child=children[0])

    @property
    def type(self) -> t.DataType:
        return self.child.type

    @property
    def nullable(self) -> bool:
        return self.child.nullable

    @property
    def attr(self) -> Attr:
        """The output column."""
        found: Attr | None = self.__dict__.get(_ATTR)
        if found is None:
            found = Attr(self.name, self.type, self.nullable, self.id, (), self.metadata or ())
            self.__dict__[_ATTR] = found
        return found


@dataclass(frozen=True)
class Aliases(Expr):
    """Names for the columns of a generator: `posexplode(x) AS (p, v)`."""

    child: Expr
    names: tuple[str, ...]

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.child,)

    def with_children(self, children: tuple[Expr, ...]) -> Expr:
        return self.changed(child=children[0])


@dataclass(frozen=True)
class Order(Expr):
    """One key of a sort. `nulls_first` None means first if ascending, last if not."""

    child: Expr
    ascending: bool = True
    nulls_first: bool | None = None

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.child,)

    def with_children(self, children: tuple[Expr, ...]) -> Expr:
        return self.changed(child=children[0])

    @property
    def type(self) -> t.DataType:
        return self.child.type

    @property
    def nulls_lead(self) -> bool:
        """Whether NULLs come first."""
        return self.ascending if self.nulls_first is None else self.nulls_first


@dataclass(frozen=True)
class Frame:
    """The rows of a window that a value is made of: `unit` is 'rows' or 'range'; the bounds are
    offsets from the current row (negative before it), None for unbounded. For 'range' they are
    counted in the value of the sort key, and may be literals."""

    unit: str
    start: Any
    end: Any


@dataclass(frozen=True)
class Over(Expr):
    """A window function: `call` over the rows with the same `partition`, in `order`."""

    call: Expr
    partition: tuple[Expr, ...] = ()
    order: tuple[Order, ...] = ()
    frame: Frame | None = None

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.call, *self.partition, *self.order)

    def with_children(self, children: tuple[Expr, ...]) -> Expr:
        cut = 1 + len(self.partition)
        order = tuple(each for each in children[cut:] if isinstance(each, Order))
        return self.changed(call=children[0], partition=children[1:cut], order=order)

    @property
    def type(self) -> t.DataType:
        return self.call.type

    @property
    def nullable(self) -> bool:
        return self.call.nullable


@dataclass(frozen=True)
class Lambda(Expr):
    """A function that is an argument: `x -> x + 1`."""

    params: tuple[Variable, ...]
    body: Expr

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.body,)

    def with_children(self, children: tuple[Expr, ...]) -> Expr:
        return self.changed(body=children[0])

    @property
    def type(self) -> t.DataType:
        return self.body.type

    @property
    def nullable(self) -> bool:
        return self.body.nullable


@dataclass(frozen=True, eq=False)
class PythonCall(Expr):
    """A user's Python function over columns. `style` is 'row', 'pandas', 'arrow', …"""

    f: Callable[..., Any]
    args: tuple[Expr, ...]
    kind: t.DataType
    style: str = "row"
    name: str = "udf"
    deterministic: bool = True

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.args

    def with_children(self, children: tuple[Expr, ...]) -> Expr:
        return self.changed(args=children)

    @property
    def type(self) -> t.DataType:
        return self.kind


# ---- walks ---------------------------------------------------------------------------------------


def walk(expr: Expr) -> Iterator[Expr]:
    """The expression and all below it."""
    todo = [expr]
    while todo:
        found = todo.pop()
        yield found
        below = found.children
        if below:
            todo.extend(below[::-1])


class _Facts(NamedTuple):
    """What many ask of an expression and all below it: found once, kept with the expression."""

    columns: dict[Attr, None]
    classes: frozenset[type[Expr]]
    calls: frozenset[str]  # names, in lower case


_NO_CALLS: frozenset[str] = frozenset()


_alones: dict[type[Expr], _Facts] = {}


def _alone(kind: type[Expr]) -> _Facts:
    """The facts of an expression of this class that reads and calls nothing."""
    found = _alones.get(kind)
    if found is None:
        found = _alones[kind] = _Facts({}, frozenset((kind,)), _NO_CALLS)
    return found


def _facts(expr: Expr) -> _Facts:
    """Not of an Attr: its facts would hold itself."""
    known: _Facts | None = expr.__dict__.get(_FACTS)
    if known is not None:
        return known
    todo = [expr]
    while todo:  # no recursion: expressions can be deep
        at = todo[-1]
        below = at.children
        new = [c for c in below if _FACTS not in c.__dict__ and not isinstance(c, Attr)]
        if new:
            todo += new
            continue
        at.__dict__[_FACTS] = _joined(at, below)
        todo.pop()
    found: _Facts = expr.__dict__[_FACTS]
    return found


def _joined(expr: Expr, below: tuple[Expr, ...]) -> _Facts:
    """The facts of an expression by those of its children; what is the same is not copied."""
    columns, classes, calls = alone = _alone(type(expr))
    if isinstance(expr, Call):
        calls = frozenset((expr.name.lower(),))
    elif not below:
        return alone
    for child in below:
        if isinstance(child, Attr):
            columns = {**columns, child: None}
            classes |= _alone(Attr).classes
        else:
            own: _Facts = child.__dict__[_FACTS]
            columns = {**columns, **own.columns} if columns else own.columns
            classes = own.classes if classes <= own.classes else classes | own.classes
            calls = own.calls if calls <= own.calls else calls | own.calls
    return _Facts(columns, classes, calls)


def attributes(*exprs: Expr) -> dict[Attr, None]:
    """The columns that expressions read, in the order in which they come; not those of subqueries'
    insides but their `Outer` ones."""
    found: dict[Attr, None] = {}
    for expr in exprs:
        if isinstance(expr, Attr):
            found.setdefault(expr)
        else:
            found.update(_facts(expr).columns)
    return found


def holds(expr: Expr, *kinds: type[Expr]) -> bool:
    """Whether an expression, or one below it, is of one of these classes."""
    if isinstance(expr, Attr):
        return isinstance(expr, kinds)
    return _any_of(_facts(expr).classes, kinds)


@lru_cache(4096)
def _any_of(classes: frozenset[type[Expr]], kinds: tuple[type[Expr], ...]) -> bool:
    return any(issubclass(each, kinds) for each in classes)


def calls_in(expr: Expr) -> frozenset[str]:
    """The names, in lower case, of all functions called in an expression."""
    return _NO_CALLS if isinstance(expr, Attr) else _facts(expr).calls


def rewrite(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """`change` applied to every node, children first."""
    old = expr.children
    if old:
        new = tuple([rewrite(child, change) for child in old])
        if not all(map(is_, new, old)):
            expr = expr.with_children(new)
    return change(expr)


def substitute(expr: Expr, values: dict[Attr, Expr]) -> Expr:
    """The expression with attributes replaced."""
    return rewrite(expr, lambda each: values.get(each, each) if isinstance(each, Attr) else each)
