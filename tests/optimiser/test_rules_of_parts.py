"""Rules that see that two parts of a plan read the same rows; what of it a task computes once."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet
from rule_plans import both, call, group, join, named, scan, select, shown, where

from executors.formats.scanning import Reading
from executors.formats.scanning import scan as scan_files
from executors.relational.fragments import answer, query
from planner.columns import types as t
from planner.columns.expressions import Attr, Expr
from planner.columns.functions.registry import Settings
from planner.query import logical as l
from planner.query.fragment import Input, flatten
from planner.query.once import used_often
from planner.query.optimiser.reuse import reuse
from planner.query.optimiser.sideways import sideways

BIG = scan("b", 100_000, b_k=t.INT, b_v=t.INT)
FEW = where(scan("s", 100, s_k=t.INT, s_v=t.INT), call(">", "s_v", 3))


def big(prefix: str) -> l.Plan:
    """The large table under other names."""
    return select(BIG, named("b_k", f"{prefix}_k"), named("b_v", f"{prefix}_v"))


AROUND = join(big("o"), FEW, call("=", "o_k", "s_k"))
AVERAGE = call("avg", "i_v")


def asked(around: l.Plan, inner: l.Plan, value: Expr = AVERAGE, by: str = "s_k") -> l.Plan:
    """What the rule makes the aggregate of, for rows that look up the averages of a key."""
    found = sideways(join(around, group(inner, "i_k", value), call("=", by, "i_k"), "left"))
    assert found.children[0] is around
    return found.children[1].children[0]


@pytest.mark.parametrize("by", ["s_k", "o_k"])
@pytest.mark.parametrize("value", ["avg", "min", "max"])
def test_the_join_around_has_the_rows_itself(value: str, by: str) -> None:
    found = asked(AROUND, big("i"), call(value, "i_v"), by)
    assert isinstance(found, l.Project) and found.child is AROUND
    assert shown(found).startswith("Project[o_k AS i_k, o_v AS i_v](Join[inner")


def test_conditions_of_the_rows_may_be_in_both() -> None:
    chosen = join(where(big("o"), call(">", "o_v", 7)), FEW, call("=", "o_k", "s_k"))
    found = asked(chosen, where(big("i"), call(">", "i_v", 7)))
    assert isinstance(found, l.Project) and found.child is chosen


def test_so_may_joins_with_other_tables() -> None:
    middle = scan("m", 50, m_k=t.INT)

    def beside(prefix: str) -> l.Plan:
        other = select(middle, named("m_k", f"{prefix}_m"))
        return join(big(prefix), other, call("=", f"{prefix}_v", f"{prefix}_m"))

    around = join(FEW, beside("o"), call("=", "o_k", "s_k"))
    found = asked(around, beside("i"))
    assert isinstance(found, l.Project) and found.child is around
    assert "Join[semi" in shown(asked(AROUND, beside("i")))
    assert "Join[semi" in shown(asked(around, big("i")))


OTHERS = {
    "sums mind copies": (AROUND, big("i"), call("sum", "i_v"), "s_k"),
    "fewer rows within": (AROUND, where(big("i"), call(">", "i_v", 7)), AVERAGE, "s_k"),
    "fewer rows around": (
        join(where(big("o"), call(">", "o_v", 7)), FEW, call("=", "o_k", "s_k")),
        big("i"),
        AVERAGE,
        "s_k",
    ),
    "joined by more than the key": (
        join(big("o"), FEW, both(call("=", "o_k", "s_k"), call("=", "o_v", "s_v"))),
        big("i"),
        AVERAGE,
        "s_k",
    ),
    "compared beside the key": (
        join(big("o"), FEW, both(call("=", "o_k", "s_k"), call("<", "o_v", "s_v"))),
        big("i"),
        AVERAGE,
        "s_k",
    ),
    "joined by another column": (
        join(big("o"), FEW, call("=", "o_v", "s_k")),
        big("i"),
        AVERAGE,
        "s_k",
    ),
    "another table": (AROUND, scan("c", 100_000, i_k=t.INT, i_v=t.INT), AVERAGE, "s_k"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_the_join_around_lacks_some(name: str) -> None:
    around, inner, value, by = OTHERS[name]
    assert "Join[semi" in shown(asked(around, inner, value, by))


def test_rows_that_are_others_each_time_are_read_again() -> None:
    chosen = where(big("o"), call(">", call("rand", 1), 0.5))
    around = join(chosen, FEW, call("=", "o_k", "s_k"))
    found = asked(around, where(big("i"), call(">", call("rand", 1), 0.5)))
    assert "Join[semi" in shown(found)


# ---- equal parts ---------------------------------------------------------------------------------


def halves(plan: l.Plan) -> tuple[l.Plan, l.Plan]:
    """The sides of a join after the rule, without what gives columns other names."""
    left, right = reuse(plan).children
    return left.children[0] if isinstance(left, l.Project) else left, right


def positive(prefix: str) -> l.Plan:
    return where(big(prefix), call(">", f"{prefix}_v", 0))


def test_equal_parts_become_one() -> None:
    plan = join(positive("x"), positive("y"), call("=", "x_k", "y_k"))
    left, right = halves(plan)
    assert left is right
    found = reuse(plan)
    assert found.output == plan.output
    assert shown(found.children[0]).startswith("Project[y_k AS x_k, y_v AS x_v](Filter")


def test_the_largest_equal_parts_do() -> None:
    groups = [group(positive(p), f"{p}_k", call("max", f"{p}_v")) for p in "xy"]
    left, right = halves(join(*groups, call("=", "x_k", "y_k")))
    assert left is right and isinstance(left, l.Aggregate)


@pytest.mark.parametrize(
    "sides",
    [
        (big("x"), big("y")),  # only read
        (positive("x"), where(big("y"), call(">", "y_v", 1))),
        tuple(where(big(p), call(">", call("rand", 1), 0.5)) for p in "xy"),
        tuple(l.Hint(positive(p), "broadcast") for p in "xy"),
    ],
)
def test_these_stay_two(sides: tuple[l.Plan, l.Plan]) -> None:
    left, right = reuse(join(*sides, call("=", "x_k", "y_k"))).children
    assert left is not right and type(left) is type(right)


def test_small_tables_are_left_alone() -> None:
    small = scan("s", 100, s_k=t.INT)
    x, y = (where(select(small, named("s_k", p)), call(">", p, 0)) for p in "xy")
    plan = join(x, y, call("=", "x", "y"))
    assert reuse(plan) is plan


# ---- in a task -----------------------------------------------------------------------------------


def test_what_is_only_read_is_read_again_and_the_rest_is_kept() -> None:
    read, chosen = big("x"), positive("y")
    union = l.Union((read, read, chosen, chosen), read.output)
    fragment = flatten(union, Settings())
    once, again = used_often(fragment)
    assert [type(fragment.nodes[at]) for at in once] == [l.Filter]
    assert [type(fragment.nodes[at]) for at in sorted(again)] == [l.Scan, l.Project]


def test_what_many_read_is_kept() -> None:
    read = big("x")
    fragment = flatten(l.Union((read, read, read), read.output), Settings())
    once, again = used_often(fragment)
    assert [type(fragment.nodes[at]) for at in once] == [l.Project] and not again


def test_polars_keeps_no_scan(tmp_path: Path) -> None:
    """Of two readings of a file it would make one, and keep the rows for both."""
    parquet.write_table(pa.table({"k": [1, 2], "v": [3, 4]}), tmp_path / "a.parquet")
    file = scan_files("parquet", [str(tmp_path)], None, Reading())
    sides = [select(file, named("k", f"{p}_k"), named("v", f"{p}_v")) for p in "xy"]
    plan = join(*sides, call("=", "x_k", "y_k"))
    text = query(flatten(plan, Settings()), [], 0).explain(engine="streaming")
    assert text.count("Parquet SCAN") == 2 and "CACHE" not in text
    some = where(sides[0], call(">", "x_v", 3))
    twice = join(some, l.renewed(some), None, "cross")
    text = query(flatten(twice, Settings()), [], 0).explain(engine="streaming")
    assert text.count("Parquet SCAN") == 1 and text.count("CACHE") == 2


def test_a_task_lets_go_of_what_it_read_when_it_ends() -> None:
    """Not when garbage is next looked for: other tables are in the memory of that."""
    numbers = Input((Attr("n", t.LONG),), side=0)
    fragment = flatten(where(numbers, call(">", "n", 1)), Settings())
    table = pa.table({"n": [1, 2, 3]})
    there = weakref.ref(table)
    gc.disable()
    try:
        found = answer(fragment, [[table]], 0)
        del table
        assert there() is None
    finally:
        gc.enable()
    assert found.num_rows == 2
