"""Joins of all kinds, as PySpark answers, and against plain Python for all kinds and conditions."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from recorded import check, recorded
from tpch_tables import Tables

from planner.query import logical as l

LEFT = [(1, 10), (1, 20), (2, 10), (None, 5), (4, None)]
RIGHT = [(1, 10), (1, 15), (2, 30), (None, 5), (5, 1)]
ROWS_LEFT = "(1, 10), (1, 20), (2, 10), (NULL, 5), (4, NULL)"
ROWS_RIGHT = "(1, 10), (1, 15), (2, 30), (NULL, 5), (5, 1)"

Row = tuple[Any, ...]


def same(a: Any, b: Any) -> bool:
    return a is not None and b is not None and bool(a == b)


def less(a: Any, b: Any) -> bool:
    return a is not None and b is not None and bool(a < b)


def differs(a: Any, b: Any) -> bool:
    return a is not None and b is not None and bool(a != b)


CONDITIONS: list[tuple[str, Callable[[Row, Row], bool]]] = [
    ("k = j", lambda a, b: same(a[0], b[0])),
    ("k = j AND v < w", lambda a, b: same(a[0], b[0]) and less(a[1], b[1])),
    ("k = j AND v <> w", lambda a, b: same(a[0], b[0]) and differs(a[1], b[1])),
    ("k = j AND v > 10", lambda a, b: same(a[0], b[0]) and less(10, a[1])),
    ("k = j AND w > 10", lambda a, b: same(a[0], b[0]) and less(10, b[1])),
    ("k <=> j", lambda a, b: bool(a[0] == b[0])),
    ("k <=> j AND v = w", lambda a, b: bool(a[0] == b[0]) and same(a[1], b[1])),
    ("k = j AND v <=> w", lambda a, b: same(a[0], b[0]) and bool(a[1] == b[1])),
    ("v < w", lambda a, b: less(a[1], b[1])),
    ("k + 1 = j AND k + v = 12", lambda a, b: same((a[0] or -9) + 1, b[0]) and a[0] == 2),
    ("k + 0 = j AND k + 0 = j", lambda a, b: same(a[0], b[0])),
    ("k = j AND k = w", lambda a, b: same(a[0], b[0]) and same(a[0], b[1])),
    (
        "(k = j AND v = 10) OR (k = j AND w = 15)",
        lambda a, b: same(a[0], b[0]) and (a[1] == 10 or b[1] == 15),
    ),
    ("false", lambda a, b: False),
]


def expected(kind: str, fits: Callable[[Row, Row], bool]) -> list[Row]:
    nothing = (None, None)
    pairs = [(*a, *b) for a, b in itertools.product(LEFT, RIGHT) if fits(a, b)]
    alone = [a for a in LEFT if not any(fits(a, b) for b in RIGHT)]
    other = [b for b in RIGHT if not any(fits(a, b) for a in LEFT)]
    match kind:
        case "LEFT SEMI":
            return [a for a in LEFT if a not in alone]
        case "LEFT ANTI":
            return alone
        case "LEFT":
            return pairs + [(*a, *nothing) for a in alone]
        case "RIGHT":
            return pairs + [(*nothing, *b) for b in other]
        case "FULL":
            lonely = [(*a, *nothing) for a in alone] + [(*nothing, *b) for b in other]
            return pairs + lonely
    return pairs


@pytest.fixture(scope="module")
def tables() -> Tables:
    return Tables({})


@pytest.mark.parametrize("entry", recorded("joins"), ids=lambda e: e["sql"][:60])
def test_as_pyspark(tables: Tables, entry: dict[str, Any]) -> None:
    check(tables, entry)


@pytest.mark.parametrize("kind", ["INNER", "LEFT", "RIGHT", "FULL", "LEFT SEMI", "LEFT ANTI"])
@pytest.mark.parametrize(("text", "fits"), CONDITIONS, ids=[text for text, _ in CONDITIONS])
def test_every_kind_with_every_condition(
    tables: Tables, kind: str, text: str, fits: Callable[[Row, Row], bool]
) -> None:
    query = (
        f"SELECT * FROM (VALUES {ROWS_LEFT}) a(k, v) {kind} JOIN (VALUES {ROWS_RIGHT}) b(j, w) "
        f"ON {text}"
    )
    wanted = sorted(expected(kind, fits), key=str)
    for optimised in (False, True):
        found = tables.arrow(query, optimised=optimised)
        rows = list(zip(*(column.to_pylist() for column in found.columns), strict=True))
        assert sorted(rows, key=str) == wanted


@pytest.mark.parametrize("kind", ["INNER", "LEFT", "FULL", "LEFT SEMI", "LEFT ANTI"])
def test_sides_without_rows(tables: Tables, kind: str) -> None:
    empty = "(SELECT * FROM range(3) WHERE id > 5)"
    count = {"INNER": 0, "LEFT": 3, "FULL": 3, "LEFT SEMI": 0, "LEFT ANTI": 3}[kind]
    text = f"SELECT * FROM range(3) a {kind} JOIN {empty} b ON a.id = b.id"
    assert len(tables.rows(text)) == count


def test_keys_of_two_types_are_compared_as_one(tables: Tables) -> None:
    text = "SELECT x, y FROM VALUES (1), (2) t(x) JOIN VALUES (1.0), (2.5) u(y) ON x = y"
    assert [(x, float(y)) for x, y in tables.rows(text)] == [(1, 1.0)]


def test_nan_equals_nan_also_with_a_second_key(tables: Tables) -> None:
    text = """
        SELECT count(*) FROM VALUES (double('NaN'), 1), (-0.0D, 1) t(x, k)
        JOIN VALUES (double('NaN'), 1), (0.0D, 1) u(y, j) ON x = y AND k = j
    """
    assert tables.rows(text) == [(2,)]


def test_an_equality_in_every_branch_of_an_or_is_a_key(tables: Tables) -> None:
    plan = tables.plan(
        "SELECT * FROM range(3) a, range(3) b "
        "WHERE (a.id = b.id AND a.id > 1) OR (a.id = b.id AND b.id < 1)"
    )
    joins = [node for node in l.walk(plan) if isinstance(node, l.Join)]
    assert [join.kind for join in joins] == ["inner"]
    assert tables.rows(
        "SELECT a.id FROM range(3) a, range(3) b "
        "WHERE (a.id = b.id AND a.id > 1) OR (a.id = b.id AND b.id < 1) ORDER BY 1"
    ) == [(0,), (2,)]


def test_tables_between_commas_join_by_where_in_any_order(tables: Tables) -> None:
    plan = tables.plan(
        "SELECT * FROM range(3) a, range(4) b, range(5) c WHERE a.id = c.id AND c.id = b.id"
    )
    joins = [node for node in l.walk(plan) if isinstance(node, l.Join)]
    assert [join.kind for join in joins] == ["inner", "inner"]
    assert [attr.qualifiers for attr in plan.output] == [("a",), ("b",), ("c",)]
