"""Logical plans: what a DataFrame or a statement says, before it is decided how it runs.

Nodes are frozen and typed: every expression in them is resolved, `output` names the columns that
come out. The optimiser rewrites them; `planner/query/lower.py` turns them into the six physical
nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import is_
from typing import Any, Self

from planner.columns import types as t
from planner.columns.expressions import Alias, Attr, Expr, Order
from planner.site import NOWHERE, Site

_THERE, _BELOW = "_there", "_below"  # what was found out of a node, and stays with it


@dataclass(frozen=True, eq=False, kw_only=True)
class Plan:
    """Base of all logical nodes."""

    site: Site = NOWHERE
    output: tuple[Attr, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        self.__dict__["output"] = self._columns()

    def changed(self, **values: Any) -> Self:
        """The same node with other values of some fields: `dataclasses.replace`, in less time."""
        new = object.__new__(type(self))
        mine = new.__dict__
        mine.update(self.__dict__, **values)
        mine.pop(_THERE, None)
        mine.pop(_BELOW, None)
        mine["output"] = new._columns()
        return new

    def _over(self, **children: Plan) -> Self:
        """The same node over children that change nothing of its output."""
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__, **children)
        new.__dict__.pop(_BELOW, None)
        return new

    def at(self, site: Site) -> Self:
        """The same node as another line of the user made it."""
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__, site=site)
        return new

    def _columns(self) -> tuple[Attr, ...]:
        return self.children[0].output

    @property
    def there(self) -> frozenset[Attr]:
        """The columns of `output` as a set."""
        found: frozenset[Attr] | None = self.__dict__.get(_THERE)
        if found is None:
            found = self.__dict__[_THERE] = frozenset(self.output)
        return found

    def __getstate__(self) -> dict[str, Any]:
        return {k: value for k, value in self.__dict__.items() if k not in (_THERE, _BELOW)}

    @property
    def children(self) -> tuple[Plan, ...]:
        return ()

    def with_children(self, children: tuple[Plan, ...]) -> Plan:
        """The same node over other children."""
        assert not children
        return self

    @property
    def expressions(self) -> tuple[Expr, ...]:
        """The expressions of the node itself."""
        return ()

    def with_expressions(self, expressions: tuple[Any, ...]) -> Plan:
        """The same node with other expressions, in the order of `expressions`."""
        assert not expressions
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__}[{', '.join(attr.column for attr in self.output)}]"


@dataclass(frozen=True, eq=False, repr=False)
class One(Plan):
    """Base of nodes with one child."""

    child: Plan

    @property
    def children(self) -> tuple[Plan, ...]:
        return (self.child,)

    def with_children(self, children: tuple[Plan, ...]) -> Plan:
        if children[0].output is self.child.output:
            return self._over(child=children[0])
        return self.changed(child=children[0])


# ---- leaves --------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, repr=False)
class Table(Plan):
    """An Arrow table that the driver holds, its columns in the order of `attrs`."""

    attrs: tuple[Attr, ...]
    data: Any

    def _columns(self) -> tuple[Attr, ...]:
        return self.attrs


@dataclass(frozen=True, eq=False, repr=False)
class Range(Plan):
    """Whole numbers from start, below stop, in `slices` partitions."""

    attr: Attr
    start: int
    stop: int
    step: int
    slices: int

    def _columns(self) -> tuple[Attr, ...]:
        return (self.attr,)


@dataclass(frozen=True)
class FileSlice:
    """A part of a scan that one task reads: a whole file, or row groups or bytes of one.

    `rows` and `bytes` are what the footers say (-1 for unknown); `values` are those of the columns
    that the folder's name gives. `pieces` is empty for the whole file, else for Parquet the first
    row and the number of rows, for lines of text the first byte and the one after the last.
    `groups` are the (rows, bytes) that the slice can be cut at, `layout` the place in
    `Scan.layouts` of the columns that the file has.
    """

    path: str
    rows: int = -1
    bytes: int = -1
    values: tuple[Any, ...] = ()
    pieces: tuple[int, ...] = ()
    groups: tuple[tuple[int, int], ...] = ()
    layout: int = 0


@dataclass(frozen=True, eq=False, repr=False)
class Scan(Plan):
    """Files. `attrs` are the columns wanted, `partitioned` those that folders name, in the order of
    `FileSlice.values`; `filters` are conditions that the reader may use to skip data and that are
    checked above all the same. `options` are those of the format, their names in lower case.
    `layouts` are the columns of files, in their order: for Parquet one for each schema there is.
    `spans` are names of columns with their least and greatest value, as far as footers tell; `sure`
    are those of them that no value lies outside of."""

    format: str
    attrs: tuple[Attr, ...]
    slices: tuple[FileSlice, ...]
    partitioned: tuple[Attr, ...] = ()
    filters: tuple[Expr, ...] = ()
    options: tuple[tuple[str, Any], ...] = ()
    label: str = ""
    layouts: tuple[t.StructType, ...] = ()
    spans: tuple[tuple[str, float, float], ...] = ()
    sure: frozenset[str] = frozenset()

    def _columns(self) -> tuple[Attr, ...]:
        return self.attrs


@dataclass(frozen=True, eq=False, repr=False)
class Rows(Plan):
    """A physical dataset whose rows are Arrow tables with the columns `attrs` (by position):
    what came from a Dataset, or out of a Python function."""

    attrs: tuple[Attr, ...]
    node: Any
    rows: int = -1

    def _columns(self) -> tuple[Attr, ...]:
        return self.attrs


@dataclass(frozen=True, eq=False, repr=False)
class Slot(Plan):
    """Input `index` of a fragment."""

    attrs: tuple[Attr, ...]
    index: int

    def _columns(self) -> tuple[Attr, ...]:
        return self.attrs


# ---- one child -----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, repr=False)
class Project(One):
    """Columns made of each row; every one an Attr or an Alias."""

    columns: tuple[Attr | Alias, ...]

    def _columns(self) -> tuple[Attr, ...]:
        return tuple([each.attr if isinstance(each, Alias) else each for each in self.columns])

    def with_children(self, children: tuple[Plan, ...]) -> Plan:
        return self._over(child=children[0])

    @property
    def expressions(self) -> tuple[Expr, ...]:
        return self.columns

    def with_expressions(self, expressions: tuple[Any, ...]) -> Plan:
        return self.changed(columns=expressions)


@dataclass(frozen=True, eq=False, repr=False)
class Filter(One):
    """The rows for which the condition is true."""

    condition: Expr

    @property
    def expressions(self) -> tuple[Expr, ...]:
        return (self.condition,)

    def with_expressions(self, expressions: tuple[Any, ...]) -> Plan:
        return self.changed(condition=expressions[0])


@dataclass(frozen=True, eq=False, repr=False)
class Aggregate(One):
    """One row for each value of `groups` (all Attr); `values` are aliased aggregate calls.

    Without groups there is one row, of no rows too. Output: the groups, then the values.
    """

    groups: tuple[Attr, ...]
    values: tuple[Alias, ...]

    def _columns(self) -> tuple[Attr, ...]:
        return (*self.groups, *(each.attr for each in self.values))

    def with_children(self, children: tuple[Plan, ...]) -> Plan:
        return self._over(child=children[0])

    @property
    def expressions(self) -> tuple[Expr, ...]:
        return (*self.groups, *self.values)

    def with_expressions(self, expressions: tuple[Any, ...]) -> Plan:
        cut = len(self.groups)
        return self.changed(groups=expressions[:cut], values=expressions[cut:])


@dataclass(frozen=True, eq=False, repr=False)
class Expand(One):
    """Every row once for each projection: grouping sets, unpivot. `attrs` are the columns."""

    projections: tuple[tuple[Expr, ...], ...]
    attrs: tuple[Attr, ...]

    def _columns(self) -> tuple[Attr, ...]:
        return self.attrs

    @property
    def expressions(self) -> tuple[Expr, ...]:
        return tuple(expr for projection in self.projections for expr in projection)

    def with_expressions(self, expressions: tuple[Any, ...]) -> Plan:
        wide = len(self.attrs)
        cuts = range(0, len(expressions), wide)
        return self.changed(projections=tuple(expressions[at : at + wide] for at in cuts))


@dataclass(frozen=True, eq=False, repr=False)
class Window(One):
    """The child's columns and `values`: aliased `Over` calls of one partitioning and order."""

    values: tuple[Alias, ...]

    def _columns(self) -> tuple[Attr, ...]:
        return (*self.child.output, *(each.attr for each in self.values))

    @property
    def expressions(self) -> tuple[Expr, ...]:
        return self.values

    def with_expressions(self, expressions: tuple[Any, ...]) -> Plan:
        return self.changed(values=expressions)


@dataclass(frozen=True, eq=False, repr=False)
class Sort(One):
    """The rows in order; over all partitions, or (`everywhere` false) within each."""

    order: tuple[Order, ...]
    everywhere: bool = True

    @property
    def expressions(self) -> tuple[Expr, ...]:
        return self.order

    def with_expressions(self, expressions: tuple[Any, ...]) -> Plan:
        return self.changed(order=expressions)


@dataclass(frozen=True, eq=False, repr=False)
class Limit(One):
    """At most `count` rows (all if None) after the first `offset`."""

    count: int | None
    offset: int = 0


@dataclass(frozen=True, eq=False, repr=False)
class Tail(One):
    """The last `count` rows."""

    count: int


@dataclass(frozen=True, eq=False, repr=False)
class Distinct(One):
    """One row for each value of `keys` (all columns if empty): the first."""

    keys: tuple[Attr, ...] = ()

    @property
    def expressions(self) -> tuple[Expr, ...]:
        return self.keys

    def with_expressions(self, expressions: tuple[Any, ...]) -> Plan:
        return self.changed(keys=expressions)


@dataclass(frozen=True, eq=False, repr=False)
class Generate(One):
    """The child's columns with those of a generator, a row for each row that it makes; with
    `outer` a row of NULLs where it makes none. `attrs` are the generator's columns."""

    call: Expr
    attrs: tuple[Attr, ...]
    outer: bool = False

    def _columns(self) -> tuple[Attr, ...]:
        return (*self.child.output, *self.attrs)

    @property
    def expressions(self) -> tuple[Expr, ...]:
        return (self.call,)

    def with_expressions(self, expressions: tuple[Any, ...]) -> Plan:
        return self.changed(call=expressions[0])


@dataclass(frozen=True, eq=False, repr=False)
class Sample(One):
    """The rows whose random number, made from `seed`, is in [low, high); with replacement each row
    as often as a Poisson variable of mean `high` says."""

    low: float
    high: float
    seed: int
    replacement: bool = False


@dataclass(frozen=True, eq=False, repr=False)
class Repartition(One):
    """Other partitions: by `keys` (hash, or range if they are Orders), dealt round if none.
    Without `shuffle` neighbours are only put together (coalesce)."""

    count: int | None
    keys: tuple[Expr, ...] = ()
    shuffle: bool = True

    @property
    def expressions(self) -> tuple[Expr, ...]:
        return self.keys

    def with_expressions(self, expressions: tuple[Any, ...]) -> Plan:
        return self.changed(keys=expressions)


@dataclass(frozen=True, eq=False, repr=False)
class Batches(One):
    """A user's Python function over batches of rows, whose answer has the columns `attrs`.

    `f(partition, tables)` takes and gives iterators of Arrow tables. With `keys` all rows of a key
    come together; `other` is a second child for cogrouped functions.
    """

    f: Callable[..., Any]
    attrs: tuple[Attr, ...]
    keys: tuple[Attr, ...] = ()
    label: str = "mapInArrow"

    def _columns(self) -> tuple[Attr, ...]:
        return self.attrs


@dataclass(frozen=True, eq=False, repr=False)
class Hint(One):
    """What the user knows: 'broadcast', 'merge', … for the join above."""

    name: str


@dataclass(frozen=True, eq=False, repr=False)
class Known(One):
    """A name for the columns of a plan: a table alias, a view."""

    qualifier: tuple[str, ...]

    def _columns(self) -> tuple[Attr, ...]:
        return tuple(attr.called(self.qualifier) for attr in self.child.output)


# ---- several children ----------------------------------------------------------------------------

JOINS = ("inner", "left", "right", "full", "semi", "anti", "cross", "null-aware anti", "single")


@dataclass(frozen=True, eq=False, repr=False)
class Join(Plan):
    """Rows of two sides that fit together.

    `kind` is one of JOINS. 'null-aware anti' is NOT IN: one NULL on the right and nothing is left.
    'single' is 'left' for scalar subqueries: a second match is an error.
    """

    left: Plan
    right: Plan
    kind: str
    condition: Expr | None = None

    def _columns(self) -> tuple[Attr, ...]:
        left, right = self.left.output, self.right.output
        if self.kind in ("semi", "anti", "null-aware anti"):
            return left
        if self.kind in ("right", "full"):
            left = tuple(attr.or_null() for attr in left)
        if self.kind in ("left", "full", "single"):
            right = tuple(attr.or_null() for attr in right)
        return (*left, *right)

    @property
    def children(self) -> tuple[Plan, ...]:
        return (self.left, self.right)

    def with_children(self, children: tuple[Plan, ...]) -> Plan:
        left, right = children
        if left.output is self.left.output and right.output is self.right.output:
            return self._over(left=left, right=right)
        return self.changed(left=left, right=right)

    @property
    def expressions(self) -> tuple[Expr, ...]:
        return () if self.condition is None else (self.condition,)

    def with_expressions(self, expressions: tuple[Any, ...]) -> Plan:
        return self.changed(condition=expressions[0]) if expressions else self


@dataclass(frozen=True, eq=False, repr=False)
class Union(Plan):
    """The rows of all sides, columns by position. `attrs` are the columns that come out."""

    sides: tuple[Plan, ...]
    attrs: tuple[Attr, ...]

    def _columns(self) -> tuple[Attr, ...]:
        return self.attrs

    @property
    def children(self) -> tuple[Plan, ...]:
        return self.sides

    def with_children(self, children: tuple[Plan, ...]) -> Plan:
        return self.changed(sides=children)


@dataclass(frozen=True, eq=False, repr=False)
class SetOp(Plan):
    """'intersect' or 'except' of two sides, columns by position; with `every` rows are counted."""

    left: Plan
    right: Plan
    kind: str
    every: bool = False

    @property
    def children(self) -> tuple[Plan, ...]:
        return (self.left, self.right)

    def with_children(self, children: tuple[Plan, ...]) -> Plan:
        return self.changed(left=children[0], right=children[1])


# ---- walks ---------------------------------------------------------------------------------------


def walk(plan: Plan) -> Iterator[Plan]:
    """The plan and all below it, parents first, without recursion; subqueries are not entered."""
    todo = [plan]
    while todo:
        found = todo.pop()
        yield found
        todo.extend(found.children[::-1])


def children_first(plan: Plan) -> tuple[Plan, ...]:
    """Every node once, after all that it stands on."""
    known: tuple[Plan, ...] | None = plan.__dict__.get(_BELOW)
    if known is None:
        found: dict[Plan, None] = {}
        todo = [plan]
        while todo:
            node = todo[-1]
            below = [child for child in node.children if child not in found]
            if below:
                todo += below
            else:
                found.setdefault(todo.pop())
        known = plan.__dict__[_BELOW] = tuple(found)[:-1]
    return (*known, plan)


def bottom_up(plan: Plan, change: Callable[[Plan], Plan]) -> Plan:
    """`change` applied to every node, children first; a node that occurs twice is changed once."""
    done: dict[Plan, Plan] = {}
    for node in children_first(plan):
        old = node.children
        new = tuple([done[child] for child in old])
        same = all(map(is_, new, old))
        done[node] = change(node if same else node.with_children(new))
    return done[plan]


def renewed(plan: Plan) -> Project:
    """The plan with new columns of the same names, so that it can stand beside itself."""
    return Project(
        plan, tuple(Alias(attr, attr.name, metadata=attr.metadata) for attr in plan.output)
    )
