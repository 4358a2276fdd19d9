"""Rules about columns, projections, limits and the order of joins; and all rules together."""

from __future__ import annotations

import time

import pytest
from rule_plans import both, call, group, join, lit, named, order, scan, select, shown, where

from planner.columns import types as t
from planner.columns.expressions import Alias, Attr, PythonCall, Star
from planner.query import logical as l
from planner.query.optimiser.collapse import collapse
from planner.query.optimiser.columns import columns
from planner.query.optimiser.joinorder import joinorder
from planner.query.optimiser.limits import limits
from planner.query.optimiser.needless import needless
from planner.query.optimiser.rules import RULES, optimise

A, B = scan("a"), scan("b")
KEYS = call("=", "a_k", "b_k")
WIDE = scan("w", 1000, k=t.INT, v=t.LONG, s=t.STRING)


@pytest.mark.parametrize(
    ("plan", "after"),
    [
        (select(WIDE, "k"), "Project[k](Scan[k])"),
        (select(where(WIDE, call(">", "v", 1)), "k"), "Project[k](Filter[(v > 1)](Scan[k v]))"),
        (group(WIDE, "k", call("sum", "v")), "Aggregate[k, sum(v) AS value](Scan[k v])"),
        (select(group(WIDE, "k", call("sum", "v")), "k"), "Project[k](Aggregate[k](Scan[k]))"),
        (select(join(WIDE, B, call("=", "k", "b_k")), "v"),
         "Project[v](Join[inner: (k = b_k)](Scan[k v], Scan[b_k]))"),
        (select(order(WIDE, "v"), "k"), "Project[k](Sort(Scan[k v]))"),
        (select(l.Distinct(WIDE), "k"), "Project[k](Distinct(Scan[k v s]))"),
        (select(select(WIDE, "k", named(call("+", "v", 1), "w")), "k"),
         "Project[k](Project[k](Scan[k]))"),
        (select(l.SetOp(A, B, "except"), "a_k"),
         "Project[a_k](SetOp(Scan[a_k a_v], Scan[b_k b_v]))"),
        (select(WIDE, named(lit(1), "one")), "Project[1 AS one](Scan[k])"),
    ],
)  # fmt: skip
def test_only_what_is_needed_is_read(plan: l.Plan, after: str) -> None:
    found = columns(plan)
    assert shown(found) == after and found.output == plan.output


def test_a_column_that_only_the_condition_needs_goes_before_the_rows_move() -> None:
    inner = where(WIDE, call(">", "v", 1))
    found = columns(select(join(inner, B, call("=", "k", "b_k")), "s", "b_v"))
    assert "Join[inner: (k = b_k)](Project[k, s](Filter[(v > 1)](Scan[k v s]))" in shown(found)


def test_a_union_loses_columns_by_place() -> None:
    both_sides = l.Union((A, B), (Attr("k", t.INT), Attr("v", t.INT)))
    assert shown(columns(select(both_sides, "v"))) == "Project[v](Union(Scan[a_v], Scan[b_v]))"


def test_projections_become_one() -> None:
    inner = select(A, named(call("+", "a_k", 1), "x"), "a_v")
    assert shown(collapse(select(inner, named(call("*", "x", 2), "y"), "a_v"))) == (
        "Project[((a_k + 1) * 2) AS y, a_v](Scan[a_k a_v])"
    )
    twice = select(inner, named(call("*", "x", "x"), "y"))
    assert collapse(twice) is twice, "it would be computed twice"
    ours = l.Project(A, (Alias(PythonCall(abs, (A.attrs[1],), t.INT), "r"),))
    once = select(ours, named(call("+", "r", 1), "s"))
    assert collapse(once) is once


@pytest.mark.parametrize(
    ("plan", "after"),
    [
        (l.Limit(select(A, "a_k"), 3), "Project[a_k](Limit[3 after 0](Scan[a_k a_v]))"),
        (l.Limit(l.Limit(A, 5, 2), 9, 1), "Limit[4 after 3](Scan[a_k a_v])"),
        (l.Limit(l.Limit(A, 5), 2), "Limit[2 after 0](Scan[a_k a_v])"),
        (l.Limit(where(A, call(">", "a_v", 1)), 2),
         "Limit[2 after 0](Filter[(a_v > 1)](Scan[a_k a_v]))"),
        (l.Limit(l.Union((A, B), A.attrs), 2, 1),
         "Limit[2 after 1](Union(Limit[3 after 0](Scan[a_k a_v]), "
         "Limit[3 after 0](Scan[b_k b_v])))"),
    ],
)  # fmt: skip
def test_limits_go_down(plan: l.Plan, after: str) -> None:
    assert shown(limits(plan)) == after


@pytest.mark.parametrize(
    ("plan", "after"),
    [
        (l.Known(A, ("t",)), "Scan[a_k a_v]"),
        (select(A, Star()), "Scan[a_k a_v]"),
        (select(A, "a_v", "a_k"), "Project[a_v, a_k](Scan[a_k a_v])"),
        (where(A, lit(True)), "Scan[a_k a_v]"),
        (l.Distinct(l.Distinct(A)), "Distinct(Scan[a_k a_v])"),
        (l.Limit(A, None), "Scan[a_k a_v]"),
        (order(order(A, "a_k"), "a_v"), "Sort(Scan[a_k a_v])"),
    ],
)
def test_what_does_nothing_goes(plan: l.Plan, after: str) -> None:
    assert shown(needless(plan)) == after


def test_a_sort_of_a_sort_keeps_the_old_order_of_equals() -> None:
    found = needless(order(order(A, "a_k"), "a_v"))
    assert isinstance(found, l.Sort)
    assert [key.child.name for key in found.order] == ["a_v", "a_k"]  # type: ignore[attr-defined]


def test_the_smallest_are_joined_first() -> None:
    fact = scan("f", 100_000, f_a=t.INT, f_b=t.INT, f_v=t.INT)
    plan = join(
        join(join(fact, A, call("=", "f_a", "a_k")), B, call("=", "f_b", "b_k")),
        scan("c", 10),
        call("=", "a_v", "c_k"),
    )
    plan = where(plan, call(">", "c_v", 0))
    found = joinorder(optimise(plan, upto="push again"))
    text = shown(found)
    assert text.startswith("Project") and "cross" not in text
    assert found.output == plan.output
    small = next(
        n
        for n in l.walk(found)
        if isinstance(n, l.Join) and not any(isinstance(child, l.Join) for child in n.children)
    )
    assert {leaf.label for leaf in l.walk(small) if isinstance(leaf, l.Scan)} == {"a ", "c "}


def test_no_cross_product_where_there_is_a_way_around() -> None:
    """The two small tables have nothing in common but the large one."""
    fact = scan("f", 100_000, f_a=t.INT, f_b=t.INT)
    plan = where(
        join(join(A, B, None, "cross"), fact, None, "cross"),
        both(call("=", "f_a", "a_k"), call("=", "f_b", "b_k")),
    )
    text = shown(optimise(plan))
    assert "cross" not in text and text.count("Join[inner") == 2


def test_outer_joins_stay_where_they_are() -> None:
    plan = join(join(A, B, KEYS, "left"), scan("c", 1), call("=", "b_v", "c_k"), "left")
    assert joinorder(plan) is plan


def test_every_rule_can_be_left_out_and_stopped_at() -> None:
    plan = select(where(join(A, B, KEYS), call(">", "a_v", 1)), "b_v")
    for rule in RULES:
        assert optimise(plan, without=[rule.name]).output == plan.output
        assert optimise(plan, upto=rule.name).output == plan.output
    with pytest.raises(KeyError, match="no rule"):
        optimise(plan, without=["nonsense"])


def test_five_hundred_columns_one_after_the_other() -> None:
    plan: l.Plan = A
    for number in range(500):
        column = named(call("+", "a_k", number), f"c{number}")
        plan = l.Project(plan, (*plan.output, _bound(column, A)))
    start = time.perf_counter()
    found = optimise(plan)
    assert time.perf_counter() - start < 1.0
    assert sum(1 for _ in l.walk(found)) == 2 and len(found.output) == 502


def _bound(column: object, plan: l.Plan) -> object:
    (found,) = select(plan, column).expressions
    return found
