"""Which tree of joins is made of some tables."""

from __future__ import annotations

from itertools import pairwise

import pytest
from rule_plans import call, join, scan, shown, where

from planner.columns import types as t
from planner.query import logical as l
from planner.query.optimiser.joinorder import joinorder
from planner.query.optimiser.rules import optimise
from planner.query.statistics import Sizes


def chained(*rows: int) -> l.Plan:
    """Tables of so many rows, each joined with the next by a key that names the other's rows."""
    tables = [
        scan(f"t{at}", count, **{f"a{at}": t.INT, f"b{at}": t.INT}) for at, count in enumerate(rows)
    ]
    plan: l.Plan = tables[0]
    for at, table in list(enumerate(tables))[1:]:
        plan = join(plan, table, call("=", f"b{at - 1}", f"a{at}"))
    return plan


def shape(plan: l.Plan) -> str:
    """The tree by its tables' names: ((t0 t1) (t2 t3))."""
    while isinstance(plan, l.Project | l.Filter):
        plan = plan.child
    if isinstance(plan, l.Join):
        return f"({' '.join(sorted(map(shape, plan.children)))})"
    assert isinstance(plan, l.Scan)
    return plan.label.strip()


@pytest.mark.parametrize(
    ("rows", "tree"),
    [
        ((100, 100_000, 100_000, 100), "((t0 t1) (t2 t3))"),  # two small results meet
        ((10, 1_000, 100_000, 100_000), "(((t0 t1) t2) t3)"),
        ((100_000, 100_000, 1_000, 10), "(((t2 t3) t1) t0)"),
    ],
)
def test_the_tree_with_the_fewest_rows_between_joins(rows: tuple[int, ...], tree: str) -> None:
    plan = chained(*rows)
    for name, count in (("a0", rows[0]), ("b3", rows[3])):
        plan = where(plan, call("=", name, 7)) if count <= 100 else plan
    assert shape(joinorder(optimise(plan, upto="push again"))) == tree


def test_a_small_step_that_leads_to_a_large_one_is_not_taken_first() -> None:
    """The middle of TPC-H Q5: few suppliers of a region, but many rows of theirs."""
    region = where(scan("r", 5, r_k=t.INT, r_v=t.INT), call("=", "r_v", 1))
    nation = scan("n", 25, n_k=t.INT, n_r=t.INT)
    supplier = scan("s", 10_000, s_k=t.INT, s_n=t.INT)
    customer = scan("c", 150_000, c_k=t.INT, c_n=t.INT)
    orders = where(scan("o", 1_500_000, o_k=t.INT, o_c=t.INT, o_v=t.INT), call("=", "o_v", 1))
    lines = scan("l", 6_000_000, l_o=t.INT, l_s=t.INT)
    plan = join(customer, orders, call("=", "c_k", "o_c"))
    plan = join(plan, lines, call("=", "l_o", "o_k"))
    plan = join(plan, supplier, call("and", call("=", "l_s", "s_k"), call("=", "c_n", "s_n")))
    plan = join(plan, nation, call("=", "s_n", "n_k"))
    plan = join(plan, region, call("=", "n_r", "r_k"))
    found = joinorder(plan)
    first_of_lines = next(
        node
        for node in l.walk(found)
        if isinstance(node, l.Join) and any(shape(child) == "l" for child in node.children)
    )
    other = next(c for c in first_of_lines.children if shape(c) != "l")
    assert "o" in shape(other) and Sizes().rows(other) < 100_000
    assert "cross" not in shown(found) and found.output == plan.output


@pytest.mark.parametrize("count", [3, 8, 9, 16])
def test_all_tables_and_conditions_are_there_once(count: int) -> None:
    plan = chained(*(10 * (at + 1) for at in range(count)))
    plan = where(plan, call("<", "a0", f"b{count - 1}"))
    found = joinorder(optimise(plan, upto="push again"))
    labels = [node.label.strip() for node in l.walk(found) if isinstance(node, l.Scan)]
    assert sorted(labels) == sorted(f"t{at}" for at in range(count))
    text = shown(found)
    assert "cross" not in text and text.count("<") == 1 and found.output == plan.output
    for at, other in pairwise(range(count)):
        assert text.count(f"b{at} = a{other}") + text.count(f"a{other} = b{at}") == 1


def test_tables_that_nothing_holds_together_come_together_last() -> None:
    one, other = chained(1_000, 1_000), scan("x", 3, x_k=t.INT)
    third = scan("y", 50, y_k=t.INT)
    plan = join(join(join(one, other, None, "cross"), third, None, "cross"),
                scan("z", 70, z_k=t.INT), call("=", "y_k", "z_k"))  # fmt: skip
    found = joinorder(plan)
    assert shown(found).count("cross") == 2 and found.output == plan.output
    assert "(t0 t1)" in shape(found) and "(y z)" in shape(found)
