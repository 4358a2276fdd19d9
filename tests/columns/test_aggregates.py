"""Aggregates against recorded answers of PySpark 4.3: values, types, nullability."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from recorded_calls import (
    ANSI,
    decoded,
    peer_table,
    plain,
    read,
    recorded,
    run,
    same,
    table_of,
)

from executors.relational.errors import QueryError
from planner.columns import types as t
from planner.columns.building import at_of, build
from planner.columns.columnar import to_polars
from planner.columns.expressions import Alias, Call, Literal, Name
from planner.columns.functions.registry import TABLE, Aggregate, Settings, find
from planner.columns.typing import AnalysisError, bind
from planner.query import logical as l
from planner.query.aggregation import prepared
from planner.query.analysis import requests

ANSWERS = recorded("aggregates")
PLAN = peer_table(ANSWERS["rows"])
# Spark takes one of several that are as frequent, and sorts before it takes a first text.
ANY_OF_SEVERAL = {"mode(s)", "mode(i)", "mode(m)", "first_value(s)"}


def aggregated(text: str, plan: l.Plan, by: str | None = None) -> l.Plan:
    scope = requests.scope_of(plan, ANSI)
    keys = [] if by is None else [bind(Name((by,)), scope)]
    call = bind(Alias(read(text), "v"), scope)
    return requests.aggregate(plan, keys, [*keys, call], scope)


def check(found: l.Plan, wanted: dict[str, Any], unordered: bool = False) -> None:
    assert [attr.kind.simpleString() for attr in found.output] == wanted["types"]
    if "nullable" in wanted:
        assert [attr.null for attr in found.output] == wanted["nullable"]
    rows = run(found)
    if len(found.output) == 2:
        rows.sort(key=lambda row: (row[0] is not None, row[0]))
    theirs = [[decoded(value) for value in row] for row in wanted["rows"]]
    if unordered:
        rows, theirs = ([[_sorted(v) for v in row] for row in side] for side in (rows, theirs))
    assert same(rows, theirs), f"\n{rows}\n{theirs}"


def _sorted(value: Any) -> Any:
    return sorted(value, key=str) if isinstance(value, list) else value


@pytest.mark.parametrize("case", ANSWERS["cases"], ids=lambda case: case["call"])
def test_an_aggregate_answers_as_pyspark(case: dict[str, Any]) -> None:
    text = case["call"]
    loose = text.startswith(("collect_set", "listagg(distinct"))
    if text not in ANY_OF_SEVERAL:
        check(aggregated(text, PLAN, "g"), case["grouped"], loose)
        check(aggregated(text, PLAN), case["whole"], loose)
    nothing = l.Filter(PLAN, Literal(False, t.BOOLEAN))
    assert same(run(aggregated(text, nothing)), [[decoded(v) for v in case["none"]["rows"][0]]])
    assert run(aggregated(text, nothing, "g")) == []


# ---- steps ---------------------------------------------------------------------------------------


def stepped(call: Call, chunks: list[pl.DataFrame], settings: Settings = ANSI) -> object:
    """An aggregate had from the partial states of chunks."""
    entry = find(call.name)
    assert isinstance(entry, Aggregate) and entry.partial and entry.merge and entry.final
    assert entry.states is not None
    at = at_of(call, settings)
    kinds = [to_polars(kind) for kind in entry.states(at)]
    args = [build(arg, settings) for arg in call.args]
    names = [f"s{place}" for place in range(len(kinds))]
    columns = [pl.col(name) for name in names]
    parts = []
    for chunk in chunks:
        states = zip(entry.partial(at, *args), names, strict=True)
        parts.append(chunk.lazy().select(state.alias(name) for state, name in states).collect())
        assert parts[-1].dtypes == kinds, call.name
    while len(parts) > 1:  # merged more than once, as a tree does
        two = pl.concat(parts[:2])
        merged = zip(entry.merge(at, *columns), names, strict=True)
        parts[:2] = [two.lazy().select(state.alias(name) for state, name in merged).collect()]
        assert parts[0].dtypes == kinds, call.name
    final = parts[0].select(entry.final(at, *columns).alias("v"))
    assert final.schema["v"] == to_polars(call.type)
    return final.to_arrow()["v"].to_pylist()[0]


IN_STEPS = [
    case
    for case in ANSWERS["cases"]
    if "filter" not in case["call"]
    and "distinct" not in case["call"]
    and not getattr(TABLE[case["call"].partition("(")[0]], "whole", "")
]


@pytest.mark.parametrize("case", IN_STEPS, ids=lambda case: case["call"])
def test_steps_give_what_the_whole_gives(case: dict[str, Any]) -> None:
    call = bind(read(case["call"]), requests.scope_of(PLAN, ANSI))
    assert isinstance(call, Call)
    names = [attr.column for attr in PLAN.output]
    rows = pl.from_arrow(PLAN.data.rename_columns(names))
    assert isinstance(rows, pl.DataFrame)
    first, (over_columns,) = prepared((Alias(call, "v"),))
    rows = rows.with_columns(build(each, ANSI).alias(each.attr.column) for each in first)
    found = stepped(over_columns.child, [rows[:4], rows[4:4], rows[4:9], rows[9:]])  # type: ignore[arg-type]
    wanted = decoded(case["whole"]["rows"][0][0])
    if case["call"].startswith("collect_set"):
        found, wanted = _sorted(found), _sorted(wanted)
    assert same(plain(found), wanted)
    nothing = stepped(over_columns.child, [rows[:0], rows[:0]])  # type: ignore[arg-type]
    assert same(nothing, decoded(case["none"]["rows"][0][0]))


# ---- values that do not fit ----------------------------------------------------------------------


def one(text: str, kind: t.DataType, values: list[Any], settings: Settings = ANSI) -> Any:
    plan = table_of([[value] for value in values], {"x": kind})
    scope = requests.scope_of(plan, settings)
    ((found,),) = run(requests.select(plan, [Alias(read(text), "v")], scope), settings)
    return found


def test_a_sum_that_does_not_fit_raises_and_try_sum_is_null() -> None:
    large = [2**63 - 1, 1]
    with pytest.raises(QueryError) as caught:
        one("sum(x)", t.LONG, large)
    assert caught.value.code == "ARITHMETIC_OVERFLOW"
    assert one("try_sum(x)", t.LONG, large) is None
    assert one("sum(x)", t.LONG, [*large, -5]) == 2**63 - 5
    assert one("sum(x)", t.LONG, large, Settings(ansi=False)) == -(2**63)
    assert one("avg(x)", t.LONG, large) == pytest.approx(2.0**62)
    assert one("sum(x)", t.INT, [2**31 - 1, 2**31 - 1]) == 2**32 - 2


def test_a_decimal_sum_that_does_not_fit_raises_and_try_sum_is_null() -> None:
    most = Decimal("9" * 38)
    kind = t.DecimalType(38, 0)
    for text in ("sum(x)", "avg(x)"):
        with pytest.raises(QueryError) as caught:
            one(text, kind, [most, Decimal(1)])
        assert caught.value.code == "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION"
    assert one("try_sum(x)", kind, [most, Decimal(1)]) is None
    assert one("try_avg(x)", kind, [most, Decimal(1)]) is None
    assert one("sum(x)", kind, [most, Decimal(1)], Settings(ansi=False)) is None


def test_the_average_of_decimals_is_rounded_half_up() -> None:
    kind = t.DecimalType(10, 2)
    values = [Decimal("0.01"), *[Decimal("0.00")] * 31]
    assert one("avg(x)", kind, values) == Decimal("0.000313")
    assert one("avg(x)", kind, [-value for value in values]) == Decimal("-0.000313")


def test_sums_and_averages_of_intervals() -> None:
    days = [dt.timedelta(1), dt.timedelta(2), None]
    assert one("sum(x)", t.DayTimeIntervalType(0, 0), days) == dt.timedelta(3)
    assert one("avg(x)", t.DayTimeIntervalType(0, 0), days) == dt.timedelta(1.5)
    assert one("median(x)", t.DayTimeIntervalType(0, 0), days) == dt.timedelta(1.5)
    assert one("sum(x)", t.YearMonthIntervalType(), [1, 2]) == 3
    assert one("avg(x)", t.YearMonthIntervalType(), [1, 2]) == 2  # a half month rounds up


def test_statistics_of_one_value_and_of_equal_values() -> None:
    for text in ("var_samp(x)", "stddev(x)", "skewness(x)", "kurtosis(x)", "corr(x, x)"):
        assert one(text, t.DOUBLE, [1.0]) is None
    for text in ("covar_samp(x, x)", "regr_r2(x, x)", "regr_slope(x, x)", "regr_intercept(x, x)"):
        assert one(text, t.DOUBLE, [1.0]) is None
    assert one("var_pop(x)", t.DOUBLE, [1.0]) == one("covar_pop(x, x)", t.DOUBLE, [1.0]) == 0.0


def test_values_by_the_largest_of_others() -> None:
    plan = table_of([[1, 5], [2, 7], [3, 1], [4, None]], {"x": t.INT, "z": t.INT})
    scope = requests.scope_of(plan, ANSI)
    wanted = [Alias(read(text), "v") for text in ("max_by(x, z, 2)", "min_by(x, z, 2)")]
    assert run(requests.select(plan, wanted, scope)) == [[[2, 1], [3, 1]]]


def test_what_goes_within_a_group_in_its_order() -> None:
    words = ["a", "c", None, "b"]
    assert one("listagg(x, ',', x, false)", t.STRING, words) == "c,b,a"
    assert one("listagg(x, ',', x)", t.STRING, words) == "a,b,c"
    assert one("listagg(distinct x, ',')", t.STRING, ["b", "a", "b"]) == "b,a"
    numbers = [5, 1, None, 2]
    for text, wanted in {
        "percentile_cont(x, 0.3D)": 1.6,
        "percentile_disc(x, 0.3D)": 1.0,
        "percentile_cont(x, 0.3D, true)": 3.2,
        "percentile_disc(x, 0.3D, true)": 5.0,
    }.items():
        assert one(text, t.INT, numbers) == pytest.approx(wanted)


def test_nested_values_are_counted_picked_and_ordered() -> None:
    scope = requests.scope_of(PLAN, ANSI)
    wanted = {
        "count(distinct a)": 7,
        "count(distinct p)": 7,
        "count(distinct a, p)": 9,
        "mode(a)": [9],
        "mode(p)": {"a": 2, "b": "n"},
        "max_by(a, i)": [9],
        "min_by(p, a)": {"a": 5, "b": "q"},
        "max_by(i, p)": 2,
    }
    calls = [Alias(read(text), text) for text in wanted]
    assert run(requests.select(PLAN, calls, scope)) == [list(wanted.values())]


def test_groups_by_nested_keys_and_by_nan_and_zeros() -> None:
    scope = requests.scope_of(PLAN, ANSI)
    for name, sizes in {"a": [1, 1, 1, 1, 1, 1, 3, 4], "p": [1, 1, 1, 1, 2, 2, 2, 3]}.items():
        key = bind(Name((name,)), scope)
        found = requests.aggregate(PLAN, [key], [key, bind(read("count(1)"), scope)], scope)
        assert sorted(row[1] for row in run(found)) == sizes
    key = bind(Name(("k",)), scope)
    rows = run(requests.aggregate(PLAN, [key], [key, bind(read("count(1)"), scope)], scope))
    assert sorted(map(repr, rows)) == ["[0.0, 2]", "[1.0, 3]", "[2.0, 5]", "[None, 1]", "[nan, 2]"]


def test_constants_are_values_of_every_row() -> None:
    scope = requests.scope_of(PLAN, ANSI)
    wanted = {
        "sum(1)": 13,
        "count(*)": 13,
        "max('x')": "x",
        "listagg('x')": "x" * 13,
        "sum(1) filter (where b)": 7,
        "first(i) filter (where b)": 5,
        "last(r) filter (where b)": 13,
        "sum(i + 1) filter (where b)": 32,
    }
    calls = [Alias(read(text), text) for text in wanted]
    assert run(requests.select(PLAN, calls, scope)) == [list(wanted.values())]


def test_bytes_are_joined() -> None:
    assert one("string_agg(x)", t.BINARY, [b"A", None, b"B"]) == b"AB"


def test_a_histogram_merges_the_nearest_bins() -> None:
    found = one("histogram_numeric(x, 2)", t.DOUBLE, [1.0, 2.0, 10.0, 11.0, 12.5])
    wanted = [{"x": 1.5, "y": 2.0}, {"x": 11.166666666666668, "y": 3.0}]
    assert same(found, wanted)


REFUSED = {
    "sum(b)": "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
    "sum(t)": "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
    "sum(i, l)": "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
    "bit_and(e)": "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
    "bool_and(i)": "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
    "count_if(i)": "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
    "percentile(e, 1.5D)": "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE",
    "percentile(e, i)": "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
    "sum(sum(i))": "NESTED_AGGREGATE_FUNCTION",
}


@pytest.mark.parametrize("text", REFUSED)
def test_an_aggregate_is_refused_where_it_is_written(text: str) -> None:
    with pytest.raises(AnalysisError) as caught:
        requests.select(PLAN, [read(text)], requests.scope_of(PLAN, ANSI))
    assert caught.value.code == REFUSED[text]


def test_what_is_not_there_says_so() -> None:
    with pytest.raises(NotImplementedError, match="count_min_sketch"):
        requests.select(PLAN, [read("count_min_sketch(i)")], requests.scope_of(PLAN, ANSI))


def test_names_of_columns() -> None:
    scope = requests.scope_of(PLAN, ANSI)
    for case in ANSWERS["cases"]:
        if case["name"] and not case["call"].startswith(("product", "sum(s2)")):
            (column,) = requests.select(PLAN, [read(case["call"])], scope).output
            assert column.name == case["name"][0]


def test_every_aggregate_has_steps_with_states_or_the_reason_why_not() -> None:
    for entry in TABLE.values():
        if isinstance(entry, Aggregate):
            assert bool(entry.whole) != bool(entry.partial and entry.merge and entry.final)
