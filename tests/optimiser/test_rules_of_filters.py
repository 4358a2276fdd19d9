"""Rules about conditions: what they make of small plans."""

from __future__ import annotations

import pytest
from rule_plans import (
    both,
    call,
    expr,
    group,
    join,
    lit,
    named,
    order,
    scan,
    select,
    shown,
    where,
)

from planner.columns import types as t
from planner.columns.expressions import Alias, Attr, Expr, PythonCall
from planner.columns.functions.registry import Settings
from planner.query import logical as l
from planner.query.optimiser.fold import folding
from planner.query.optimiser.imply import imply
from planner.query.optimiser.infer import infer
from planner.query.optimiser.push import push

A, B = scan("a"), scan("b")
A5, B5 = call(">", "a_v", 5), call(">", "b_v", 5)
KEYS = call("=", "a_k", "b_k")
A_THERE = "Filter[(a_v > 5)](Scan[a_k a_v ? (a_v > 5)])"
B_THERE = "Filter[(b_v > 5)](Scan[b_k b_v ? (b_v > 5)])"
A_ALL, B_ALL = "Scan[a_k a_v]", "Scan[b_k b_v]"


@pytest.mark.parametrize(
    ("plan", "after"),
    [
        (where(where(A, A5), call("<", "a_k", 3)),
         "Filter[((a_v > 5) AND (a_k < 3))](Scan[a_k a_v ? (a_v > 5) ? (a_k < 3)])"),
        (where(select(A, named("a_v", "x"), named(call("+", "a_k", 1), "y")), call(">", "x", 5)),
         f"Project[a_v AS x, (a_k + 1) AS y]({A_THERE})"),
        (where(order(A, "a_k"), A5), f"Sort({A_THERE})"),
        (where(l.Limit(A, 3), A5), f"Filter[(a_v > 5)](Limit[3 after 0]({A_ALL}))"),
        (where(l.Distinct(A), A5), f"Distinct({A_THERE})"),
        (where(l.Distinct(A, (A.attrs[0],)), A5), f"Filter[(a_v > 5)](Distinct({A_ALL}))"),
        (where(group(A, "a_v", call("count", "a_k")), A5),
         f"Aggregate[a_v, count(a_k) AS value]({A_THERE})"),
        (where(group(A, "a_v", call("count", "a_k")), call(">", "value", 5)),
         f"Filter[(value > 5)](Aggregate[a_v, count(a_k) AS value]({A_ALL}))"),
    ],
)  # fmt: skip
def test_down(plan: l.Plan, after: str) -> None:
    assert shown(push(plan)) == after


@pytest.mark.parametrize(
    ("kind", "left", "right", "above"),
    [
        ("inner", True, True, False),
        ("left", True, False, True),
        ("right", False, True, True),
        ("full", False, False, True),
    ],
)
def test_through_joins(kind: str, left: bool, right: bool, above: bool) -> None:
    plan = where(join(A, B, KEYS, kind), both(A5, B5))
    stays = [text for text, down in (("(a_v > 5)", left), ("(b_v > 5)", right)) if not down]
    sides = f"{A_THERE if left else A_ALL}, {B_THERE if right else B_ALL}"
    joined = f"Join[{kind}: (a_k = b_k)]({sides})"
    if above:
        condition = stays[0] if len(stays) == 1 else f"({' AND '.join(stays)})"
        joined = f"Filter[{condition}]({joined})"
    assert shown(push(plan)) == joined


@pytest.mark.parametrize(
    ("kind", "left", "right"),
    [
        ("inner", True, True),
        ("left", False, True),
        ("right", True, False),
        ("full", False, False),
        ("semi", True, True),
        ("anti", False, True),
        ("null-aware anti", False, False),
    ],
)
def test_out_of_conditions_of_joins(kind: str, left: bool, right: bool) -> None:
    """What an outer join says of the side that stays whole is about matches, not rows."""
    found = shown(push(join(A, B, both(KEYS, A5, B5), kind)))
    assert (A_THERE in found) == left and (B_THERE in found) == right
    assert ("(a_v > 5)" in found.split("](")[0]) == (not left)


def test_a_cross_product_with_an_equality_is_a_join() -> None:
    plan = where(join(A, B, None, "cross"), both(KEYS, A5))
    assert shown(push(plan)) == f"Join[inner: (a_k = b_k)]({A_THERE}, {B_ALL})"


def test_into_every_side_of_a_union() -> None:
    wide = Attr("k", t.LONG)
    plan = where(l.Union((select(A, "a_k"), select(B, "b_k")), (wide,)), call(">", "k", 5))
    found = shown(push(plan))
    assert found.count("> 5") == 4 and found.startswith("Union(Project")


def test_what_is_the_users_function_stays() -> None:
    ours = PythonCall(abs, (A.attrs[1],), t.INT)
    plan = where(l.Project(A, (A.attrs[0], Alias(ours, "r"))), call(">", "r", 5))
    assert shown(push(plan)).startswith("Filter[(r > 5)](Project")


def test_what_two_stand_on_stays_as_it_is() -> None:
    once = group(A, "a_v", call("count", "a_k"))
    left, right = l.renewed(once), select(l.renewed(once), named("a_v", "w"), named("value", "n"))
    plan = where(join(left, right, call("=", "a_v", "w")), call(">", "w", 7))
    found = push(plan)
    groups = {id(node) for node in l.walk(found) if isinstance(node, l.Aggregate)}
    assert len(groups) == 1 and "(a_v > 7)" in shown(found)


def test_known_of_a_key_is_known_of_its_equal() -> None:
    plan = join(where(A, call(">", "a_k", 5)), B, KEYS)
    assert "Filter[(b_k > 5)]" in shown(infer(plan))
    outer = join(where(A, call(">", "a_k", 5)), B, KEYS, "left")
    assert "Filter[(b_k > 5)]" in shown(infer(outer))
    other = join(A, where(B, call(">", "b_k", 5)), KEYS, "left")
    assert infer(other) is other, "rows of the left side without a match must stay"
    full = join(where(A, call(">", "a_k", 5)), B, KEYS, "full")
    assert infer(full) is full


def test_nothing_is_said_twice() -> None:
    plan = push(infer(join(where(A, call(">", "a_k", 5)), B, KEYS)))
    assert infer(plan) is plan


def test_an_or_of_ands_says_something_of_each_side() -> None:
    either = call(
        "or",
        both(call("=", "a_v", 1), call("=", "b_v", 2)),
        both(call("=", "a_v", 3), call("=", "b_v", 4)),
    )
    found = shown(push(imply(where(join(A, B, KEYS), either))))
    assert "Filter[((a_v = 1) OR (a_v = 3))](Scan" in found
    assert "Filter[((b_v = 2) OR (b_v = 4))](Scan" in found
    assert "((a_v = 1) AND (b_v = 2))" in found


def test_an_or_with_a_branch_of_one_side_says_nothing_of_the_other() -> None:
    either = call("or", both(call("=", "a_v", 1), call("=", "b_v", 2)), call("=", "a_v", 3))
    found = shown(push(imply(where(join(A, B, KEYS), either))))
    assert "Filter[((a_v = 1) OR (a_v = 3))](Scan" in found and "Filter[(b_v" not in found


@pytest.mark.parametrize(
    ("condition", "after"),
    [
        (call(">", "a_k", call("+", lit(1), lit(2))), "Filter[(a_k > 3)]"),
        (both(call("=", lit(1), lit(1)), A5), "Filter[(a_v > 5)]"),
        (call("or", A5, call("<", lit(1), lit(2))), "Filter[true]"),
        (call("not", call("not", A5)), "Filter[(a_v > 5)]"),
        (call("and", A5, call(">", lit(1), lit(2))), "Filter[false]"),
    ],
)
def test_constants(condition: Expr, after: str) -> None:
    assert shown(folding(Settings())(where(A, condition))) == f"{after}({A_ALL})"


def test_an_error_of_constants_is_left_to_the_run() -> None:
    plan = where(A, call(">", "a_k", call("/", lit(1), lit(0))))
    assert "/" in shown(folding(Settings())(plan))


def test_no_rule_writes_into_its_plan() -> None:
    plan = where(join(A, B, KEYS), both(A5, B5, call("=", expr("a_v"), expr("b_v"))))
    before = shown(plan)
    push(plan), infer(plan), imply(plan), folding(Settings())(plan)
    assert shown(plan) == before
