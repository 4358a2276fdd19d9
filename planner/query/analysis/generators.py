"""Generators in a select list: each becomes a Generate node, its columns have the names asked for.

The rows that a generator reads are asked for first (its arguments may have aggregates, windows and
subqueries), then the node is put above them, and above that the columns in their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from planner.columns import types as t
from planner.columns.expressions import (
    Alias,
    Aliases,
    Attr,
    Call,
    Expr,
    Literal,
    Order,
    new_id,
    rewrite,
    walk,
)
from planner.columns.functions.registry import Generator, find
from planner.columns.typing import AnalysisError, kinds_in
from planner.query import logical as l
from planner.query.analysis.naming import text_of


@dataclass(frozen=True)
class Taken:
    """A request without its generators: `items` are asked for below; each of `calls` reads them and
    makes columns; then `columns` and `order` are what was asked for."""

    items: tuple[Expr, ...]
    calls: tuple[tuple[Call, tuple[Attr, ...]], ...]
    columns: tuple[Attr, ...]
    order: tuple[Order, ...]

    def above(self, below: l.Plan) -> l.Plan:
        """The Generate nodes over the rows asked for below."""
        for call, made in self.calls:
            below = l.Generate(below, call, made, is_outer(call))
        return below


def is_generator(expr: Expr) -> bool:
    """Whether an expression is the call of a generator."""
    return isinstance(expr, Call) and isinstance(find(expr.name), Generator)


def is_outer(call: Call) -> bool:
    """Whether a generator makes a row of NULLs instead of none."""
    entry = find(call.name)
    return isinstance(entry, Generator) and entry.outer


def columns_of(
    call: Call, names: Sequence[str] = (), outer: bool = False, qualifiers: tuple[str, ...] = ()
) -> tuple[Attr, ...]:
    """The columns that a typed generator makes, under names of their own or those given.

    Raises AnalysisError for a wrong number of names.
    """
    assert isinstance(call.type, t.ArrayType) and isinstance(call.type.elementType, t.StructType)
    fields = call.type.elementType.fields
    if names and len(names) != len(fields):
        raise AnalysisError(
            f"{text_of(call)} makes {len(fields)} columns, and is given {len(names)} names: "
            f"{', '.join(names)}",
            "UDTF_ALIAS_NUMBER_MISMATCH",
        )
    outer = outer or is_outer(call)
    return tuple(
        Attr(name, field.dataType, field.nullable or outer, new_id(), qualifiers)
        for name, field in zip(names or [f.name for f in fields], fields, strict=True)
    )


def lateral(
    plan: l.Plan, call: Call, names: Sequence[str] = (), outer: bool = False, table: str = ""
) -> l.Generate:
    """LATERAL VIEW: the plan's columns with those of a typed generator, as columns of `table`."""
    qualifiers = (table,) if table else ()
    made = columns_of(call, names, outer, qualifiers)
    return l.Generate(plan, call, made, outer or is_outer(call))


def taken_out(items: Sequence[Expr], order: Sequence[Order] = ()) -> Taken | None:
    """The request without its generators; None if it has none. The rows of the first one are the
    slowest to change.

    Raises AnalysisError for one inside another expression.
    """
    for item in items:
        _refuse_inside(_bare(item))
    if not any(is_generator(_bare(item)) for item in items):
        return None
    below: list[Alias | Attr] = []
    columns: list[Attr] = []
    calls: list[tuple[Call, tuple[Attr, ...]]] = []
    alone: dict[Expr, Attr] = {}  # what is made of generators of one column
    for item in items:
        call = _bare(item)
        if not isinstance(call, Call) or not is_generator(call):
            columns.append(_column(item, below))
            continue
        made = _made(item, call)
        if len(made) == 1:
            alone[call] = made[0]
        columns += made
        args = tuple(_asked(arg, below) for arg in call.args)
        calls.append((replace(call, args=args), made))
    own = {attr for _, made in calls for attr in made}
    keys = tuple(replace(key, child=_key(key.child, own, alone, below)) for key in order)
    if not below:
        below.append(Alias(Literal(1, t.INT), "one"))  # rows must have a column to be counted by
    return Taken(tuple(dict.fromkeys(below)), tuple(calls), tuple(columns), keys)


def refuse(exprs: Sequence[Expr], place: str) -> None:
    """Raise AnalysisError for a generator where no rows can be made."""
    for expr in exprs:
        for each in walk(expr) if "generator" in kinds_in(expr) else ():
            if is_generator(each):
                raise AnalysisError(
                    f"{text_of(each)} makes rows, which only a select can do, not {place}; select "
                    "it first, under a name",
                    "UNSUPPORTED_GENERATOR.OUTSIDE_SELECT",
                )


def _bare(item: Expr) -> Expr:
    while isinstance(item, Alias | Aliases):
        item = item.child
    return item


def _made(item: Expr, call: Call) -> tuple[Attr, ...]:
    match item:
        case Aliases(names=names):
            return columns_of(call, names)
        case Alias(name=name, id=own, metadata=metadata):
            made = columns_of(call, (name,))
            return (replace(made[0], id=own, metadata=metadata or ()),)
    return columns_of(call)


def _refuse_inside(top: Expr) -> None:
    for each in walk(top) if "generator" in kinds_in(top) else ():
        if each is not top and is_generator(each):
            raise AnalysisError(
                f"{text_of(each)} makes rows, so it cannot stand inside {text_of(top)}",
                "UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS",
            )


def _asked(arg: Expr, below: list[Alias | Attr]) -> Expr:
    """An argument as a column asked for below."""
    if isinstance(arg, Literal):
        return arg
    return _column(arg, below)


def _column(expr: Expr, below: list[Alias | Attr]) -> Attr:
    found = expr if isinstance(expr, Alias | Attr) else Alias(expr, text_of(expr))
    below.append(found)
    return found.attr if isinstance(found, Alias) else found


def _key(child: Expr, own: set[Attr], alone: dict[Expr, Attr], below: list[Alias | Attr]) -> Expr:
    """A key of the order, over the columns above the generators."""
    child = rewrite(child, lambda each: alone.get(each, each))
    if any(isinstance(each, Attr) and each in own for each in walk(child)):
        return child
    return _column(child, below)
