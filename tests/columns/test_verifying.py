"""What Polars is asked about an expression is asked once for each shape of expression."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal

import polars as pl
import pytest

from planner.columns import types as t
from planner.columns import typing
from planner.columns.expressions import (
    Alias,
    Attr,
    Call,
    Expr,
    Literal,
    attributes,
    calls_in,
    holds,
    walk,
)
from planner.columns.functions import loaded
from planner.columns.functions.registry import TABLE, At, Settings, scalar
from planner.columns.typing import Scope, bind, constant, shape_of, verify

PRICE, TAX = Attr("price", t.DecimalType(15, 2)), Attr("tax", t.DecimalType(15, 2))
COUNT, NAME = Attr("count", t.INT), Attr("name", t.STRING)
USUAL = Settings()
assert loaded.MODULES  # importing them fills the table


def typed(expr: Expr, settings: Settings = USUAL) -> Expr:
    return bind(expr, Scope((PRICE, TAX, COUNT, NAME), settings), check=False)


def call(name: str, *args: object) -> Call:
    return Call(name, tuple(a if isinstance(a, Expr) else Literal(a, t.INT) for a in args))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Expr]]:
    """The expressions that Polars was asked about, nothing known before."""
    found: list[Expr] = []

    def build(expr: Expr, settings: Settings) -> pl.Expr:
        found.append(expr)
        return real(expr, settings)

    real = typing.build
    monkeypatch.setattr(typing, "_verified", set())
    monkeypatch.setattr(typing, "_constants", {})
    monkeypatch.setattr(typing, "build", build)
    yield found


def test_one_shape_is_asked_once(asked: list[Expr]) -> None:
    for expr in (call("+", COUNT, 1), call("+", Attr("other", t.INT), 7)):
        verify(typed(expr), USUAL)
    assert len(asked) == 1


@pytest.mark.parametrize(
    "other, settings",
    [
        (call("-", COUNT, 1), USUAL),
        (call("+", Attr("long", t.LONG), 1), USUAL),
        (call("+", COUNT, Literal(1, t.LONG)), USUAL),
        (call("+", COUNT, Literal(None, t.INT)), USUAL),
        (call("+", Attr("sure", t.INT, False), 1), USUAL),
        (call("+", call("+", COUNT, 1), 1), USUAL),
        (call("+", COUNT, 1), Settings(ansi=False)),
        (call("+", COUNT, 1), Settings(zone="Asia/Tokyo")),
    ],
)
def test_another_shape_is_asked_again(asked: list[Expr], other: Expr, settings: Settings) -> None:
    verify(typed(call("+", COUNT, 1)), USUAL)
    before = len(asked)
    verify(typed(other, settings), settings)
    assert len(asked) > before


def test_values_count_where_they_may_decide(asked: list[Expr]) -> None:
    for places in (1, 2):
        verify(typed(call("round", PRICE, places)), USUAL)
    assert len(asked) == 2


def test_which_columns_are_the_same_is_in_the_shape() -> None:
    one, two = typed(call("+", PRICE, PRICE)), typed(call("+", PRICE, TAX))
    assert shape_of(one, USUAL) != shape_of(two, USUAL)
    assert shape_of(two, USUAL) == shape_of(typed(call("+", TAX, PRICE)), USUAL)


def test_the_moment_of_a_query_is_not(asked: list[Expr]) -> None:
    expr = typed(call("+", COUNT, 1))
    assert shape_of(expr, Settings(now=1)) == shape_of(expr, Settings(now=2))


def test_a_wrong_type_is_refused_each_time(
    asked: list[Expr], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("planner.columns.functions.registry.TABLE", TABLE)

    @scalar("wrongly_typed", takes=(), least=0, gives=t.INT)
    def wrongly_typed(at: At) -> pl.Expr:
        return pl.lit("text")

    try:
        for _ in range(2):
            with pytest.raises(TypeError, match="String in Polars, and should be Int32"):
                verify(typed(call("wrongly_typed")), USUAL)
    finally:
        del TABLE["wrongly_typed"]


def test_a_builder_that_changed_is_asked(
    asked: list[Expr], monkeypatch: pytest.MonkeyPatch
) -> None:
    expr = typed(call("upper", NAME))
    verify(expr, USUAL)
    entry = TABLE["upper"]
    wrong = type(entry)(entry.name, entry.resolve, lambda at, text: text.str.len_chars())
    monkeypatch.setitem(TABLE, "upper", wrong)
    with pytest.raises(TypeError, match="should be String"):
        verify(expr, USUAL)


def test_the_number_of_shapes_is_bounded(
    asked: list[Expr], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(typing, "_MOST_SHAPES", 3)
    for places in range(8):
        verify(typed(call("round", PRICE, places)), USUAL)
        assert len(typing._verified) <= 3


@pytest.mark.parametrize(
    "one, other, values",
    [
        (call("+", 1, 2), call("+", 1, 3), (3, 4)),
        (
            call("+", Literal(Decimal("1.5"), t.DecimalType(2, 1)), 1),
            call("+", Literal(Decimal("2.5"), t.DecimalType(2, 1)), 1),
            (Decimal("2.5"), Decimal("3.5")),
        ),
        (
            call("date_add", Literal(datetime.date(2020, 1, 1), t.DATE), 1),
            call("date_add", Literal(datetime.date(2020, 1, 1), t.DATE), 2),
            (datetime.date(2020, 1, 2), datetime.date(2020, 1, 3)),
        ),
    ],
)
def test_constants_are_told_apart_by_value(
    asked: list[Expr], one: Expr, other: Expr, values: tuple[object, object]
) -> None:
    for _ in range(2):
        for expr, value in zip((one, other), values, strict=True):
            found = constant(typed(expr), USUAL)
            assert found is not None and found.value == value
    assert len(asked) == 2


def test_what_is_known_of_a_tree_is_what_a_walk_finds() -> None:
    expr = Alias(typed(call("+", call("*", COUNT, COUNT), call("abs", COUNT))), "x")
    for _ in range(2):
        assert list(attributes(expr, PRICE)) == [COUNT, PRICE]
        assert holds(expr, Attr) and holds(expr, Literal, Alias) and not holds(expr, Literal)
        assert calls_in(expr) == {e.name for e in walk(expr) if isinstance(e, Call)}
    attributes(expr).clear()
    assert list(attributes(expr)) == [COUNT]
    changed = expr.with_children((PRICE,))
    assert list(attributes(changed)) == [PRICE] and changed.attr.kind == PRICE.kind


def test_deep_trees_need_no_recursion() -> None:
    deep: Expr = COUNT
    for _ in range(20_000):
        deep = Call("+", (deep, Literal(1, t.INT)), kind=t.INT)
    assert list(attributes(deep)) == [COUNT] and not holds(deep, Alias)
