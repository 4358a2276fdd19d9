"""Rules that move semi joins and reduce aggregates; what sizes are guessed from footers."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from rule_plans import both, call, group, join, lit, scan, select, shown, where

from executors.formats.scanning import Reading
from executors.formats.scanning import scan as scan_files
from planner.columns import types as t
from planner.columns.expressions import Alias, Attr, Call, Cast, Literal
from planner.query import logical as l
from planner.query.optimiser.joinorder import joinorder
from planner.query.optimiser.semis import semis
from planner.query.optimiser.sideways import sideways
from planner.query.spans import different, number, origin, span
from planner.query.statistics import Sizes, selectivity

FACT = scan("f", 100_000, f_k=t.INT, f_v=t.INT)
MIDDLE = scan("m", 10_000, m_k=t.INT, m_v=t.INT)
SMALL = scan("s", 100, s_k=t.INT, s_v=t.INT)
FEW = where(SMALL, call(">", "s_v", 3))


@pytest.mark.parametrize("kind", ["semi", "anti", "null-aware anti"])
def test_a_semi_join_goes_to_the_table_that_it_asks(kind: str) -> None:
    joined = join(MIDDLE, FACT, call("=", "m_k", "f_k"))
    found = semis(join(joined, SMALL, call("=", "m_v", "s_k"), kind))
    assert shown(found) == (
        f"Join[inner: (m_k = f_k)](Join[{kind}: (m_v = s_k)](Scan[m_k m_v], Scan[s_k s_v]), "
        "Scan[f_k f_v])"
    )


def test_it_goes_through_columns_left_out_only() -> None:
    joined = join(MIDDLE, FACT, call("=", "m_k", "f_k"))
    found = semis(join(select(joined, "m_v", "f_v"), SMALL, call("=", "m_v", "s_k"), "semi"))
    assert shown(found).startswith("Project[m_v, f_v](Join[inner: (m_k = f_k)](Join[semi:")
    made = select(joined, Alias(call("+", "m_v", 1), "x"))
    assert shown(semis(join(made, SMALL, call("=", "x", "s_k"), "semi"))).startswith("Join[semi")


def test_it_stays_where_the_join_leaves_fewer_rows() -> None:
    few = join(FACT, FEW, call("=", "f_k", "s_k"))
    other = scan("o", 1000, o_k=t.INT)
    plan = join(few, other, call("=", "f_v", "o_k"), "semi")
    assert Sizes().rows(few) < Sizes().rows(FACT)
    assert semis(plan) is plan


@pytest.mark.parametrize("kind", ["right", "full"])
def test_it_stays_above_a_join_that_makes_rows(kind: str) -> None:
    outer = join(FACT, MIDDLE, call("=", "m_k", "f_k"), kind)
    plan = join(outer, SMALL, call("=", "m_v", "s_k"), "semi")
    assert semis(plan) is plan


def test_a_side_that_others_stand_on_stays_whole() -> None:
    joined = join(MIDDLE, FACT, call("=", "m_k", "f_k"))
    plan = join(joined, SMALL, call("=", "m_v", "s_k"), "semi")
    twice = l.Union((plan, joined), plan.output)
    assert semis(twice) is twice


SUMS = group(FACT, "f_k", call("sum", "f_v"))


@pytest.mark.parametrize("kind", ["inner", "left", "semi", "anti"])
def test_only_groups_that_can_be_asked_for_are_computed(kind: str) -> None:
    found = sideways(join(FEW, SUMS, call("=", "s_k", "f_k"), kind))
    assert shown(found) == (
        f"Join[{kind}: (s_k = f_k)](Filter[(s_v > 3)](Scan[s_k s_v]), "
        "Aggregate[f_k, sum(f_v) AS value](Join[semi: (f_k = s_k)](Scan[f_k f_v], "
        "Project[s_k AS s_k](Project[s_k](Filter[(s_v > 3)](Scan[s_k s_v]))))))"
    )


def test_the_key_may_come_by_way_of_another_table() -> None:
    both_ = join(scan("b", 5000, b_k=t.INT), FEW, call("=", "b_k", "s_k"))
    found = sideways(join(both_, SUMS, call("=", "b_k", "f_k"), "left"))
    assert "Join[semi: (f_k = s_k)](Scan[f_k f_v], Project[s_k AS s_k]" in shown(found)


@pytest.mark.parametrize(
    "plan",
    [
        join(SMALL, SUMS, call("=", "s_k", "f_k"), "left"),  # not chosen by a condition
        join(where(FACT, call(">", "f_v", 3)), group(MIDDLE, "m_k", call("sum", "m_v")),
             call("=", "f_k", "m_k"), "left"),  # not small
        join(FEW, SUMS, call("=", "s_k", "f_k"), "right"),  # every group comes out
        join(FEW, SUMS, call("=", "s_k", "f_k"), "full"),
        join(FEW, SUMS, call("=", "s_k", "value"), "left"),  # not by a group
        join(FEW, SUMS, call("<=>", "s_k", "f_k"), "left"),  # NULL is a key
        join(where(SMALL, call(">", call("rand", 1), 0.5)), SUMS, call("=", "s_k", "f_k"), "left"),
    ],
)  # fmt: skip
def test_all_groups_are_computed(plan: l.Plan) -> None:
    assert sideways(plan) is plan


def test_a_comparison_beside_the_key_looks_up_the_keys_there_are() -> None:
    condition = both(call("=", "s_k", "f_k"), call("!=", "s_v", "f_v"))
    found = sideways(join(FEW, FACT, condition, "semi"))
    assert "Join[semi: (f_k = s_k)](Scan[f_k f_v], Project[s_k AS s_k]" in shown(found)
    few_to_many = join(FACT, FEW, condition, "semi")
    assert sideways(few_to_many) is few_to_many


def test_columns_equal_by_way_of_a_third_are_joined_by() -> None:
    """m_k = f_k and f_k = s_k: the small tables meet first, though no condition names both."""
    plan = join(
        join(FACT, MIDDLE, call("=", "m_k", "f_k")), where(SMALL, call("=", "s_v", 3)),
        call("=", "f_k", "s_k"),
    )  # fmt: skip
    inner = next(n for n in l.walk(joinorder(plan)) if shown(n).startswith("Join[inner: (m_k"))
    assert shown(inner).startswith("Join[inner: (m_k = s_k)]")


def test_a_table_equal_in_itself_is_told_so() -> None:
    plan = join(
        join(FACT, MIDDLE, both(call("=", "m_k", "f_k"), call("=", "m_k", "f_v"))),
        SMALL, call("=", "m_v", "s_k"),
    )  # fmt: skip
    assert "Filter[(f_k = f_v)](Scan[f_k f_v])" in shown(joinorder(plan))


KNOWN = replace(
    scan("n", 1000, n_k=t.INT, n_day=t.DATE, n_price=t.DecimalType(9, 2), n_name=t.STRING),
    spans=(("n_k", 1.0, 25.0), ("n_day", 0.0, 100.0), ("n_price", 0.0, 0.1)),
)


@pytest.mark.parametrize(
    ("name", "count"), [("n_k", 25.0), ("n_day", 101.0), ("n_price", 11.0), ("n_name", None)]
)
def test_how_many_values_a_column_can_have(name: str, count: float | None) -> None:
    attr = next(each for each in KNOWN.attrs if each.name == name)
    assert different(KNOWN, attr) == count


def _below(name: str, sign: str, value: Any) -> Call:
    attr = next(each for each in KNOWN.attrs if each.name == name)
    return Call(sign, (attr, Literal(value, attr.kind)), kind=t.BOOLEAN)


def test_ranges_of_a_column_count_together() -> None:
    day = dt.date(1970, 1, 1)
    from_, to = (
        _below("n_day", ">=", day + dt.timedelta(40)),
        _below("n_day", "<", day + dt.timedelta(60)),
    )
    assert selectivity(both(from_, to), KNOWN) == pytest.approx(0.2)
    assert selectivity(_below("n_k", "=", 3), KNOWN) == pytest.approx(1 / 25)
    turned = Call("<", (Literal(13, t.INT), KNOWN.attrs[0]), kind=t.BOOLEAN)
    assert selectivity(turned, KNOWN) == pytest.approx(0.5)


def test_a_join_by_few_values_makes_many_rows() -> None:
    other = replace(scan("p", 500, p_k=t.INT), spans=(("p_k", 1.0, 25.0),))
    assert Sizes().rows(join(KNOWN, other, call("=", "n_k", "p_k"))) == 1000 * 500 / 25
    unknown = scan("q", 500, q_k=t.INT)
    assert Sizes().rows(join(KNOWN, unknown, call("=", "n_k", "q_k"))) == 1000 * 500 / 25
    assert Sizes().rows(group(KNOWN, "n_k", call("count", "n_day"))) == 25


def test_where_a_column_comes_from() -> None:
    k = KNOWN.attrs[0]
    assert origin(where(KNOWN, call(">", "n_k", 3)), Cast(k, t.LONG)) == (KNOWN, k)
    renamed = select(KNOWN, Alias(k, "other"))
    assert origin(renamed, renamed.output[0]) == (KNOWN, k)
    made = select(KNOWN, Alias(call("+", "n_k", 1), "other"))
    assert origin(made, made.output[0]) is None
    assert span(KNOWN, k) == (1.0, 25.0) and span(KNOWN, Attr("n_name", t.STRING)) is None
    assert number(dt.datetime(2020, 1, 1)) is None and number(float("nan")) is None
    assert number(True) is None and lit(3) == Literal(3, t.INT)


def test_footers_tell_between_which_values_columns_lie(tmp_path: Path) -> None:
    """Over all row groups and files; nothing of text, times and columns without values."""
    for at, first in enumerate((5, 1)):
        table = pa.table(
            {
                "k": pa.array([first, None, first + 10], pa.int32()),
                "day": pa.array([dt.date(1970, 1, 3), None, dt.date(1970, 1, 2)]),
                "price": pa.array([Decimal("1.50"), None, Decimal("0.25")], pa.decimal128(9, 2)),
                "name": ["a", None, "b"],
                "at": pa.array([dt.datetime(2020, 1, 1)] * 3),
                "none": pa.array([None] * 3, pa.int32()),
            }
        )
        parquet.write_table(table, tmp_path / f"{at}.parquet", row_group_size=2)
    found = scan_files("parquet", [str(tmp_path)], None, Reading())
    assert sorted(found.spans) == [("day", 1.0, 2.0), ("k", 1.0, 15.0), ("price", 0.25, 1.5)]
