"""Python functions taken out of expressions: each is computed by a Batches node below.

What is left is relational and stays fused; between the two go Arrow tables.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from planner.columns.expressions import (
    Alias,
    Attr,
    Expr,
    Over,
    PythonCall,
    attributes,
    holds,
    rewrite,
)
from planner.query import logical as l


@dataclass(frozen=True)
class Wanted:
    """One call: the function, the columns of its arguments by place, and the column it makes."""

    call: PythonCall
    args: tuple[int, ...]
    attr: Attr


Maker = Callable[
    [tuple[Attr, ...], int, tuple[Wanted, ...], tuple[Attr, ...]], Callable[..., object]
]
Folder = Callable[
    [tuple[Attr, ...], tuple[int, ...], tuple[Wanted, ...], tuple[Attr, ...]], Callable[..., object]
]


@dataclass(frozen=True)
class Windows:
    """The windows of calls: places of the columns that make them, of those that order them (with
    whether ascending, and whether NULLs lead), and each call's frame (unit, start, end)."""

    keys: tuple[int, ...]
    orders: tuple[tuple[int, bool, bool], ...]
    frames: tuple[tuple[str, int | None, int | None], ...]


Windower = Callable[
    [tuple[Attr, ...], int, Windows, tuple[Wanted, ...], tuple[Attr, ...]], Callable[..., object]
]


@dataclass(frozen=True)
class Makers:
    """What makes the functions of Batches: `add(columns, kept, calls, attrs)` adds a column for
    each call to the first `kept` ones, `fold(columns, keys, calls, attrs)` makes a row a group,
    `over(columns, kept, windows, calls, attrs)` adds a column for each call over its window."""

    add: Maker
    fold: Folder
    over: Windower


def has_python(exprs: Sequence[Expr]) -> bool:
    """Whether a Python function is called."""
    return any(not isinstance(e, Attr) and holds(e, PythonCall) for e in exprs)


def taken_out(plan: l.Plan, makers: Makers) -> l.Plan:
    """The plan without Python calls in expressions."""
    if not any(has_python(node.expressions) for node in l.walk(plan)):
        return plan
    return l.bottom_up(plan, lambda node: _node(node, makers))


def _node(node: l.Plan, makers: Makers) -> l.Plan:
    if not has_python(node.expressions):
        return node
    if isinstance(node, l.Aggregate) and any(
        isinstance(value.child, PythonCall) for value in node.values
    ):
        return _folded(node, makers)
    if isinstance(node, l.Window) and any(_of_python(value.child) for value in node.values):
        return _over_windows(node, makers)
    if isinstance(node, l.Join):
        return _join(node, makers)
    if not isinstance(node, l.One):
        raise NotImplementedError(f"a Python function in {type(node).__name__}")
    below, exprs = _below(node.child, node.expressions, makers)
    found = replace(node, child=below).with_expressions(exprs)
    if isinstance(node, l.Project | l.Aggregate | l.Expand):
        return found
    return l.Project(found, node.output, site=node.site)


def _join(node: l.Join, makers: Makers) -> l.Plan:
    if node.kind not in ("inner", "cross") or node.condition is None:
        raise NotImplementedError(
            f"a Python function in the condition of a {node.kind} join: compute it in a column "
            "before the join"
        )
    crossed = replace(node, kind="cross", condition=None)
    return _node(l.Filter(crossed, node.condition, site=node.site), makers)


def _below(child: l.Plan, exprs: Sequence[Expr], makers: Makers) -> tuple[l.Plan, tuple[Expr, ...]]:
    """A plan with the values of all Python calls, and the expressions that use them; calls of
    calls take several nodes."""
    while has_python(exprs):
        out = _Out()
        exprs = tuple(rewrite(expr, out) for expr in exprs)
        child = _with_calls(child, list(out.found.values()), makers)
    return child, tuple(exprs)


class _Out:
    """Replaces calls whose arguments are relational by the columns that they will make."""

    def __init__(self) -> None:
        self.found: dict[int, tuple[PythonCall, Attr]] = {}
        self.made: set[Attr] = set()

    def __call__(self, expr: Expr) -> Expr:
        if not isinstance(expr, PythonCall) or has_python(expr.args):
            return expr
        if not self.made.isdisjoint(attributes(*expr.args)):
            return expr  # it waits for the answer of another one
        made = self.found.setdefault(id(expr), (expr, Attr(expr.name, expr.kind)))
        self.made.add(made[1])
        return made[1]


def _with_calls(child: l.Plan, calls: Sequence[tuple[PythonCall, Attr]], makers: Makers) -> l.Plan:
    columns: list[Attr | Alias] = list(child.output)
    wanted = []
    for call, attr in calls:
        args = [_place(arg, columns) for arg in call.args]
        wanted.append(Wanted(call, tuple(args), attr))
    kept = len(child.output)
    below = child if len(columns) == kept else l.Project(child, tuple(columns))
    attrs = (*child.output, *(attr for _, attr in calls))
    f = makers.add(below.output, kept, tuple(wanted), attrs)
    return l.Batches(below, f, attrs, label=", ".join(call.name for call, _ in calls))


def _place(arg: Expr, columns: list[Attr | Alias]) -> int:
    """Where an argument is among the columns; put there if it is not."""
    if isinstance(arg, Attr):
        for at, column in enumerate(columns):
            if isinstance(column, Attr) and column == arg:
                return at
    columns.append(Alias(arg, "argument"))
    return len(columns) - 1


def _folded(node: l.Aggregate, makers: Makers) -> l.Plan:
    """An Aggregate all of whose values are Python functions of the group's rows."""
    if not all(isinstance(value.child, PythonCall) for value in node.values):
        raise NotImplementedError(
            "a grouped pandas_udf beside other aggregates: compute them apart, and join"
        )
    columns: list[Attr | Alias] = list(node.child.output)
    wanted = []
    for value in node.values:
        call = value.child
        assert isinstance(call, PythonCall)
        wanted.append(Wanted(call, tuple(_place(arg, columns) for arg in call.args), value.attr))
    keys = tuple(_place(key, columns) for key in node.groups)
    below: l.Plan = node.child
    if len(columns) > len(node.child.output):
        below = l.Project(node.child, tuple(columns))
    if not keys:
        below = l.Repartition(below, 1)
    f = makers.fold(below.output, keys, tuple(wanted), node.output)
    label = ", ".join(each.call.name for each in wanted)
    return l.Batches(below, f, node.output, node.groups, label, site=node.site)


def _over_windows(node: l.Window, makers: Makers) -> l.Plan:
    """A Window some of whose values are Python functions of the rows around each row; the others
    are computed below."""
    own = [v for v in node.values if _of_python(v.child)]
    rest = tuple(v for v in node.values if not _of_python(v.child))
    child: l.Plan = replace(node, values=rest) if rest else node.child
    if rest and has_python([value.child for value in rest]):
        raise NotImplementedError("a Python function inside an expression of a window")
    columns: list[Attr | Alias] = list(child.output)
    wanted, frames = [], []
    over = own[0].child
    assert isinstance(over, Over)
    for value in own:
        each = value.child
        assert isinstance(each, Over) and isinstance(each.call, PythonCall)
        assert each.frame is not None
        args = tuple(_place(arg, columns) for arg in each.call.args)
        wanted.append(Wanted(each.call, args, value.attr))
        frames.append((each.frame.unit, each.frame.start, each.frame.end))
    keys = tuple(_place(key, columns) for key in over.partition)
    orders = tuple((_place(o.child, columns), o.ascending, o.nulls_lead) for o in over.order)
    if has_python([c.child for c in columns if isinstance(c, Alias)]):
        raise NotImplementedError("a Python function inside a Python function over a window")
    below: l.Plan = l.Project(child, tuple(columns))
    if not keys:
        below = l.Repartition(below, 1)
    attrs = (*child.output, *(each.attr for each in wanted))
    windows = Windows(keys, orders, tuple(frames))
    f = makers.over(below.output, len(child.output), windows, tuple(wanted), attrs)
    label = ", ".join(each.call.name for each in wanted)
    by = tuple(below.output[at] for at in keys)
    made = l.Batches(below, f, attrs, by, label, site=node.site)
    return l.Project(made, node.output)


def _of_python(expr: Expr) -> bool:
    return isinstance(expr, Over) and isinstance(expr.call, PythonCall)
