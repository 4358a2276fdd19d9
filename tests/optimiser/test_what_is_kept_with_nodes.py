"""What is found out of plans and expressions once stays with them, and with no others."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest

from executors.relational.fragments import query
from planner.columns import types as t
from planner.columns.expressions import Alias, Attr, Call, attributes, calls_in
from planner.columns.functions.registry import Settings
from planner.query import logical as l
from planner.query.fragment import flatten
from planner.query.optimiser import rules
from planner.query.optimiser.collapse import collapse
from planner.query.optimiser.joinorder import joinorder
from tests.optimiser.rule_plans import call, group, join, named, order, scan, select, shown, where

A, B = scan("a"), scan("b")


def test_children_come_first_and_each_once() -> None:
    below = where(A, call(">", "a_k", 1))
    plan = join(below, select(below, named("a_v", "x")))
    order = l.children_first(plan)
    assert sorted(map(id, order)) == sorted({id(node) for node in l.walk(plan)})
    for place, node in enumerate(order):
        assert {id(child) for child in node.children} <= {id(each) for each in order[:place]}


MAKERS: list[Callable[[l.Plan], l.Plan]] = [
    lambda plan: where(plan, call(">", "a_k", 1)),
    lambda plan: select(plan, "a_k"),
    lambda plan: group(plan, "a_k", call("sum", "a_v")),
    lambda plan: join(plan, B, call("=", "a_k", "b_k"), "left"),
    lambda plan: l.Known(plan, ("other",)),
]


@pytest.mark.parametrize("make", MAKERS)
def test_a_node_over_other_children_stands_on_those(make: Callable[[l.Plan], l.Plan]) -> None:
    plan = make(A)
    assert (l.children_first(plan)[0] is A or plan.children[1] is B) and plan.there
    filtered = where(A, call("<", "a_v", 9))  # the same columns
    for new in (filtered, l.renewed(A)):  # and others
        found = plan.with_children((new, *plan.children[1:]))
        assert set(map(id, l.children_first(found))) == set(map(id, l.walk(found)))
        assert found.there == frozenset(found.output)
    same = plan.with_children((filtered, *plan.children[1:]))
    assert [each.column for each in same.output] == [each.column for each in plan.output]
    assert [each.null for each in same.output] == [each.null for each in plan.output]


def test_the_columns_of_a_plan_are_those_of_its_new_child() -> None:
    plan = order(A, "a_k")
    new = l.renewed(A)
    assert plan.with_children((new,)).output == new.output != plan.output


def test_what_was_found_out_is_not_pickled() -> None:
    plan = where(A, call(">", "a_k", 1))
    before = pickle.dumps(plan)
    assert l.children_first(plan) and plan.there
    assert pickle.dumps(plan) == before


def test_a_changed_expression_is_looked_at_anew() -> None:
    a, b = Attr("a", t.INT), Attr("b", t.LONG)
    old = Alias(Call("upper", (a,), kind=t.STRING), "x")
    assert (list(attributes(old)), calls_in(old), old.attr.kind) == ([a], {"upper"}, t.STRING)
    new = old.with_children((Call("+", (b, b), kind=t.LONG),))
    assert isinstance(new, Alias) and new.id == old.id
    assert (list(attributes(new)), calls_in(new), new.attr.kind) == ([b], {"+"}, t.LONG)
    assert list(attributes(Call("+", (b, old, a)))) == [b, a]


def test_a_rule_is_asked_again_only_of_another_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[l.Plan] = []

    def note(plan: l.Plan) -> l.Plan:
        asked.append(plan)
        return plan

    def limit(plan: l.Plan) -> l.Plan:
        return l.Limit(plan, 1)

    def rule(name: str, does: Callable[[l.Plan], l.Plan]) -> rules.Rule:
        return rules.Rule(name, lambda settings: does)

    monkeypatch.setattr(rules, "RULES", (rule("note", note), rule("note again", note)))
    rules.optimise(A)
    assert asked == [A]
    between = (rule("note", note), rule("limit", limit), rule("note again", note))
    monkeypatch.setattr(rules, "RULES", between)
    rules.optimise(A)
    assert [type(plan) for plan in asked] == [l.Scan, l.Scan, l.Limit]


def test_a_cross_product_is_only_made_where_nothing_is_equal() -> None:
    """a x b would be the fewest rows, but both have a key of the long table."""
    few, other, long = scan("f", 3), scan("o", 4), scan("l", 10**6)
    keyed = join(join(few, long, call("=", "f_k", "l_k")), other, call("=", "o_k", "l_v"))
    assert "cross" not in shown(joinorder(keyed))
    free = join(join(few, long), other)
    inner = next(n for n in l.walk(joinorder(free)) if isinstance(n, l.Join) and n is not free)
    assert "cross" in shown(inner)


def _chain(replaced: bool) -> l.Plan:
    plan: l.Plan = l.Range(Attr("n", t.LONG, False), 0, 3, 1, 1)
    for place in range(5):
        old = plan.output
        new = Alias(Call("+", (old[-1], old[-1]), kind=t.LONG, null=False), f"c{place}")
        plan = l.Project(plan, (*(old[:-1] if replaced else old), new))
    return plan


@pytest.mark.parametrize("replaced", [False, True])
def test_polars_is_told_of_new_columns_only(replaced: bool) -> None:
    plan = _chain(replaced)
    frame = query(flatten(plan, Settings()), [], 0)
    assert frame.explain(optimized=False).count("WITH_COLUMNS") == (0 if replaced else 5)
    found = frame.collect()
    assert found.columns == [attr.column for attr in plan.output]
    assert found.to_series(-1).to_list() == [0, 32, 64]
    assert found.width == (1 if replaced else 6)


def test_columns_that_are_handed_on_twice_are_not_computed_twice() -> None:
    inner = select(A, "a_k", named(call("+", "a_v", 1), "x"))
    twice = l.Project(inner, (inner.output[1], Alias(inner.output[1], "y"), inner.output[0]))
    assert collapse(twice) is twice
    once = l.Project(inner, (inner.output[1], inner.output[0]))
    assert shown(collapse(once)) == "Project[(a_v + 1) AS x, a_k](Scan[a_k a_v])"


def test_constants_and_new_columns_have_all_rows() -> None:
    rows: l.Plan = l.Range(Attr("n", t.LONG, False), 0, 3, 1, 1)
    plan = l.Project(rows, (*rows.output, Alias(call("+", 1, 1).changed(kind=t.INT), "two")))
    assert query(flatten(plan, Settings()), [], 0).collect().to_series(-1).to_list() == [2, 2, 2]
