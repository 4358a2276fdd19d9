"""Decimal arithmetic in steps: what is computed first, and that answers stay the same."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from planner.columns import types as t
from planner.columns.expressions import Alias, Attr, Call, Cast, Expr
from planner.columns.sharing import in_steps

PRICE = Attr("price", t.DecimalType(15, 2))
TAX = Attr("tax", t.DecimalType(15, 2))
WHOLE = Attr("n", t.LONG)
RATIO = Attr("r", t.DOUBLE)


def call(name: str, *args: Expr, digits: int = 20) -> Call:
    return Call(name, args, kind=t.DecimalType(digits, 2))


SUM = call("+", PRICE, TAX)
LONG = call("*", SUM, SUM, digits=38)


def shape(columns: Sequence[Expr]) -> tuple[list[list[str]], list[str]]:
    """Steps and last columns as text, made columns as their number."""
    steps, last = in_steps([Alias(each, "x") for each in columns])
    names: dict[Attr, str] = {}

    def text(expr: Expr) -> str:
        if isinstance(expr, Attr):
            return names.get(expr, expr.name)
        if isinstance(expr, Cast):
            return f"cast {text(expr.child)}"
        assert isinstance(expr, Call)
        return f"({expr.name} {' '.join(map(text, expr.args))})"

    found = []
    for step in steps:
        found.append([text(each.child) for each in step])
        for each in step:
            names[each.attr] = f"#{len(names)}"
    return found, [text(each.child) for each in last]


@pytest.mark.parametrize(
    ("columns", "steps", "last"),
    [
        ([SUM], [], ["(+ price tax)"]),
        ([call("*", SUM, TAX)], [], ["(* (+ price tax) tax)"]),  # each side is needed once
        ([LONG], [["(+ price tax)"]], ["(* #0 #0)"]),
        ([SUM, LONG], [["(+ price tax)"]], ["#0", "(* #0 #0)"]),
        ([LONG, SUM], [["(+ price tax)"]], ["(* #0 #0)", "#0"]),
        ([SUM, Cast(SUM, t.LONG)], [["(+ price tax)"]], ["#0", "cast #0"]),
        ([call("*", LONG, TAX, digits=38)], [["(+ price tax)"], ["(* #0 #0)"]], ["(* #1 tax)"]),
        ([Call("case_when", (SUM, LONG), kind=LONG.kind)], [],
         ["(case_when (+ price tax) (* (+ price tax) (+ price tax)))"]),
        ([Call("+", (WHOLE, WHOLE), kind=t.LONG)] * 2, [["(+ n n)"]], ["#0", "#0"]),
        ([Call("+", (RATIO, RATIO), kind=t.DOUBLE)] * 2, [], ["(+ r r)"] * 2),
    ],
)  # fmt: skip
def test_what_is_computed_first(
    columns: list[Expr], steps: list[list[str]], last: list[str]
) -> None:
    assert shape(columns) == (steps, last)
