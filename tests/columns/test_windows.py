"""Windows against recorded answers of PySpark 4.3: functions, frames, order, refusals."""

from __future__ import annotations

import math
import random
import statistics
from collections import Counter
from typing import Any

import duckdb
import pytest
from recorded_calls import ANSI, decoded, peer_table, read, recorded, run, same, table_of

from executors.relational import frames, windows
from executors.relational.errors import QueryError
from planner.columns import types as t
from planner.columns.expressions import Alias, Literal, Name, Order, Over
from planner.columns.typing import AnalysisError, bind
from planner.query import logical as l
from planner.query.analysis import requests

ANSWERS = recorded("windows")
PLAN = peer_table(recorded("aggregates")["rows"])
PICKS = ("first", "last", "any_value", "collect_list", "listagg")


def by_accident(text: str) -> bool:
    """Whether it is Spark's accident which row comes first: of peers, or without an order."""
    order = text.partition("order by ")[2]
    return text.startswith(PICKS) and not order.startswith("r")


# Which of several values that are as frequent is any; Spark stops before it is at the sum that
# would be too large, or not: we take sums of keys and offsets as they are.
LOOSE = {"mode(y) over (partition by g order by r rows between 2 preceding and 1 preceding)"}
UNBOUNDED = {
    "sum(l) over (order by l range between 9223372036854775807L preceding and current row)",
    "sum(i) over (order by i range between 2147483647 preceding and 2147483647 following)",
}


def over(text: str) -> l.Plan:
    scope = requests.scope_of(PLAN, ANSI)
    found = requests.select(PLAN, [Name(("r",)), Alias(read(text), "v")], scope)
    return requests.order(found, [Name(("r",))], requests.scope_of(found, ANSI))


GOOD = [case for case in ANSWERS if "error" not in case]
BAD = [case for case in ANSWERS if "error" in case and case["call"] not in UNBOUNDED]


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case["call"])
def test_a_window_answers_as_pyspark(case: dict[str, Any]) -> None:
    plan = over(case["call"])
    assert plan.output[1].kind.simpleString() == case["type"]
    rows = run(plan)
    assert [row[0] for row in rows] == list(range(1, 14))
    theirs = [decoded(value) for value in case["values"]]
    ours = [row[1] for row in rows]
    if case["call"].startswith("collect_set"):
        ours, theirs = [sorted(v) for v in ours], [sorted(v) for v in theirs]
    if case["call"] not in LOOSE and not by_accident(case["call"]):
        assert same(ours, theirs), f"\n{ours}\n{theirs}"
    assert plan.output[1].null == case["nullable"]


@pytest.mark.parametrize("case", BAD, ids=lambda case: case["call"])
def test_a_window_is_refused_as_pyspark_refuses_it(case: dict[str, Any]) -> None:
    with pytest.raises((AnalysisError, QueryError)) as caught:
        run(over(case["call"]))
    assert caught.value.code == case["error"]


# ---- larger tables, beside DuckDB ----------------------------------------------------------------

FRAMES = [
    "",
    "rows between 3 preceding and 2 following",
    "rows between 70 preceding and 5 preceding",
    "rows between 2 following and 90 following",
    "rows between unbounded preceding and 1 preceding",
    "rows between current row and unbounded following",
    "rows between unbounded preceding and unbounded following",
    "range between 5 preceding and 3 following",
    "range between unbounded preceding and 4 following",
    "range between 2 following and unbounded following",
]
CALLS = ["sum(v)", "sum(q)", "avg(v)", "min(v)", "max(q)", "count(v)", "stddev(v)", "corr(v, q)"]
CALLS += ["bit_xor(q)", "max(w)", "product(u)"]


def random_rows(count: int) -> list[list[Any]]:
    draw = random.Random(7)
    rows = []
    for r in range(count):
        v = None if draw.random() < 0.15 else draw.uniform(-50, 50)
        q = None if draw.random() < 0.1 else draw.randint(-1000, 1000)
        o = None if draw.random() < 0.05 else draw.randint(0, 60)
        w = draw.choice(["a", "bb", "", "zoë", None])
        rows.append([r, draw.choice([1, 1, 1, 2, 3, None]), o, v, q, w, draw.uniform(0.9, 1.1)])
    return rows


RANDOM = random_rows(600)
COLUMNS = {
    "r": t.INT,
    "g": t.INT,
    "o": t.INT,
    "v": t.DOUBLE,
    "q": t.LONG,
    "w": t.STRING,
    "u": t.DOUBLE,
}


@pytest.mark.parametrize("by", ["partition by g order by o", "order by o desc"])
@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame or "no frame")
def test_frames_of_a_larger_table_are_those_of_duckdb(by: str, frame: str) -> None:
    if frame.startswith("rows"):
        by += ", r"
    texts = [f"{call} over ({by} {frame})" for call in CALLS]
    plan = table_of(RANDOM, COLUMNS)
    scope = requests.scope_of(plan, ANSI)
    wanted = [Name(("r",)), *(Alias(read(text), f"c{i}") for i, text in enumerate(texts))]
    ours = sorted(run(requests.select(plan, wanted, scope)))
    nulls = " nulls last" if "desc" in by else " nulls first"
    peer = duckdb.connect()
    peer.register("t", plan.data)
    key = "o desc" if "desc" in by else "order by o"
    theirs_sql = ", ".join(text.replace(key, key + nulls) for text in texts)
    theirs = peer.sql(f"select r, {theirs_sql} from t order by r").fetchall()
    for mine, other in zip(ours, theirs, strict=True):
        for text, a, b in zip(["r", *texts], mine, other, strict=True):
            assert _near(a, b), (text, mine[0], a, b)


def _near(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, float) and isinstance(theirs, float):
        if math.isnan(ours) or math.isnan(theirs):
            return math.isnan(ours) == math.isnan(theirs)
        return math.isclose(ours, theirs, rel_tol=1e-7, abs_tol=1e-7)
    if ours is None or theirs is None:  # DuckDB has NaN where Spark has NULL: no deviation
        return ours is None and (theirs is None or theirs != theirs)
    return bool(ours == theirs)


def test_a_sliding_sum_is_not_spoiled_by_what_left_the_frame() -> None:
    values = [1e300, 1.0, math.nan, math.inf, 2.0, 3.0, None, 4.0]
    plan = table_of([[r, v] for r, v in enumerate(values)], {"r": t.INT, "v": t.DOUBLE})
    scope = requests.scope_of(plan, ANSI)
    text = "sum(v) over (order by r rows between 1 preceding and current row)"
    rows = run(requests.select(plan, [Name(("r",)), Alias(read(text), "v")], scope))
    wanted = [1e300, 1e300, math.nan, math.nan, math.inf, 5.0, 3.0, 4.0]
    assert same([value for _, value in rows], wanted)


def test_a_window_of_no_rows_has_none() -> None:
    nothing = l.Filter(PLAN, Literal(False, t.BOOLEAN))
    scope = requests.scope_of(nothing, ANSI)
    for text in ("rank() over (partition by g order by r)", "sum(e) over (order by r)"):
        assert run(requests.select(nothing, [read(text)], scope)) == []
    for text in ("collect_list(i) over ()", "stddev(e) over (partition by s order by d)"):
        assert run(requests.select(nothing, [read(text)], scope)) == []


def test_a_sum_over_a_window_that_does_not_fit_raises() -> None:
    plan = table_of([[1, 2**63 - 1], [2, 5]], {"r": t.INT, "x": t.LONG})
    scope = requests.scope_of(plan, ANSI)
    for text in ("sum(x) over (order by r)", "sum(x) over ()"):
        with pytest.raises(QueryError) as caught:
            run(requests.select(plan, [read(text)], scope))
        assert caught.value.code == "ARITHMETIC_OVERFLOW"
    tried = run(requests.select(plan, [read("try_sum(x) over (order by r)")], scope))
    assert tried == [[2**63 - 1], [None]]


def test_a_window_over_aggregates() -> None:
    scope = requests.scope_of(PLAN, ANSI)
    key = bind(Name(("g",)), scope)
    rank = "rank() over (order by sum(i) desc)"
    share = "sum(sum(i)) over (order by g)"
    outputs = [key, *(bind(Alias(read(text), text), scope) for text in (rank, share))]
    rows = sorted(run(requests.aggregate(PLAN, [key], outputs, scope)), key=str)
    assert rows == [[1, 2, 20], [2, 4, 15], [3, 5, 15], [4, 1, 30], [None, 3, 9]]


def test_windows_inside_expressions_and_in_the_order() -> None:
    scope = requests.scope_of(PLAN, ANSI)
    rank = "rank() over (order by i) + 1"
    found = requests.select(PLAN, [Name(("r",)), Alias(read(rank), "v")], scope)
    assert [row[1] for row in sorted(run(found))][:4] == [12, 8, 2, 8]
    ordered = requests.order(PLAN, [Order(read("row_number() over (order by r desc)"))], scope)
    assert [row[0] for row in run(ordered)] == list(range(13, 0, -1))
    assert ordered.output == PLAN.output


def test_names_of_windows() -> None:
    scope = requests.scope_of(PLAN, ANSI)
    names = {
        "sum(i) over (partition by g order by r)": "sum(i) OVER (PARTITION BY g ORDER BY r ASC "
        "NULLS FIRST RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)",
        "lag(i) over (order by r)": "lag(i, 1, NULL) OVER (ORDER BY r ASC NULLS FIRST "
        "ROWS BETWEEN -1 FOLLOWING AND -1 FOLLOWING)",
        "count(*) over ()": "count(1) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND "
        "UNBOUNDED FOLLOWING)",
        "row_number() over (order by r desc)": "row_number() OVER (ORDER BY r DESC NULLS LAST "
        "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)",
    }
    for text, name in names.items():
        assert requests.select(PLAN, [read(text)], scope).output[0].name == name


def test_frames_that_are_spread_out_do_not_depend_on_how_many_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = table_of(RANDOM[:120], COLUMNS)
    scope = requests.scope_of(plan, ANSI)
    text = "percentile(v, 0.5D) over (partition by g order by r rows between 9 preceding and 1 {})"
    texts = [text.format("following"), text.format("preceding")]
    wanted = [Name(("r",)), Name(("g",)), Name(("v",)), *(Alias(read(x), "p") for x in texts)]
    asked = requests.select(plan, wanted, scope)
    rows = sorted(run(asked))
    monkeypatch.setattr(windows, "_CHUNK", 37)
    assert same(sorted(run(asked)), rows)
    for r, g, _, here, behind in rows:
        group = [row for row in rows if row[1] == g]
        at = [row[0] for row in group].index(r)
        for found, end in ((here, at + 2), (behind, at)):
            known = [row[2] for row in group[max(at - 9, 0) : end] if row[2] is not None]
            assert same(found, statistics.median(known) if known else None)


@pytest.mark.parametrize("unit", ["packed", "sorted"])
def test_keys_of_every_type_part_and_order_rows(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys are packed into one number where they fit; the general way must agree."""
    if unit == "sorted":
        monkeypatch.setattr(frames, "_packed", lambda *args: None)
    for keys in ("m", "s", "d", "b", "u", "t", "y", "k desc", "s desc nulls first", "e nulls last"):
        column = keys.split()[0]
        count = f"count(1) over (partition by {column} order by r)"
        texts = [f"rank() over (order by {keys})", count]
        scope = requests.scope_of(PLAN, ANSI)
        asked = [Name((column,)), *(Alias(read(text), "v") for text in texts)]
        rows = run(requests.select(PLAN, asked, scope))
        ranks = sorted(row[1] for row in rows)
        values = [repr(row[0] + 0.0) if isinstance(row[0], float) else repr(row[0]) for row in rows]
        sizes = Counter(values)
        assert sorted(sizes.values()) == sorted(Counter(ranks).values())
        counted: Counter[str] = Counter()
        for value, row in zip(values, rows, strict=True):
            counted[value] = max(counted[value], row[2])
        assert counted == sizes
        place = PLAN.output.index(requests.scope_of(PLAN, ANSI).named(column)[0])
        in_order = run(requests.order(PLAN, order_of(keys), scope))
        by_rank = [row[0] for row in sorted(rows, key=lambda row: row[1])]
        assert same(by_rank, [row[place] for row in in_order])


def order_of(keys: str) -> list[Order]:
    """The order of a window as that of rows."""
    over_ = read(f"rank() over (order by {keys})")
    assert isinstance(over_, Over)
    return list(over_.order)
