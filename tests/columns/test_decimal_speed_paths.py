"""The quick ways of decimals give what the slow ones give, to the last digit."""

from __future__ import annotations

import random
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext

import polars as pl
import pytest

from planner.columns import types as t
from planner.columns.casts import reading
from planner.columns.functions import decimals, long_division

PICK = random.Random(11)


def whole(values: list[int | None]) -> pl.Series:
    return pl.Series(values, dtype=pl.Int128)


def pairs(size: int, divisor: int) -> tuple[list[int | None], list[int | None]]:
    x: list[int | None] = [PICK.randint(-size, size) for _ in range(300)]
    y: list[int | None] = [PICK.randint(1, divisor) * PICK.choice([1, -1]) for _ in range(300)]
    x += [size, -size, size, -size, 0, 0, 1, -1, 1, 1, -1, size - 1, None, 5, None]
    y += [1, 1, -1, divisor, 1, -divisor, 2, 2, -2, 8, -8, divisor - 1 or 1, 3, None, None]
    return x, y


SIZES = [(9, 9), (10**7, 10**5), (2**48 - 1, 7), (2**48 - 1, 2**48), (1000, 2**48 + 7), (3, 1)]
CASES = [
    (*sizes, places)
    for sizes in SIZES
    for places in (0, 1, 6, 13, 18, 19, 24)
    if sizes[0] * 10**places < 10**38
]


@pytest.mark.parametrize(("size", "divisor", "places"), CASES)
def test_long_division_is_that_of_whole_numbers(size: int, divisor: int, places: int) -> None:
    assert long_division.fits(size, divisor)
    x, y = pairs(size, divisor)
    found = long_division.quotient(whole(x), whole(y), places, (size, divisor))
    expected = [
        None if p is None or q is None else decimals.rounded(p * 10**places, q)
        for p, q in zip(x, y, strict=True)
    ]
    assert found.dtype == pl.Int128
    assert found.to_list() == expected


def test_long_division_knows_what_it_cannot_do() -> None:
    assert not long_division.fits(2**48, 1)
    assert not long_division.fits(1, 2**49)


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [((15, 2), (15, 2), (33, 18)), ((7, 0), (5, 4), (17, 10)), ((9, 0), (9, 3), (24, 13))],
)
def test_a_quotient_is_the_same_without_long_division(
    one: tuple[int, int],
    other: tuple[int, int],
    kind: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x, y = pairs(10**5 - 1, 10**5 - 1)
    types = t.DecimalType(*one), t.DecimalType(*other)
    wanted = t.DecimalType(*kind)
    frame = pl.DataFrame({"x": whole(x), "y": whole(y)}).select(
        pl.col("x").reinterpret(dtype=pl.Decimal(*one)),
        pl.col("y").reinterpret(dtype=pl.Decimal(*other)),
    )
    built = decimals.divide(pl.col("x"), pl.col("y"), types, wanted, "legacy").alias("n")
    used = []
    real = long_division.quotient
    monkeypatch.setattr(long_division, "quotient", lambda *args: used.append(args) or real(*args))
    quick = frame.select(built)["n"]
    assert used and quick.null_count() < len(x)
    monkeypatch.setattr(long_division, "fits", lambda *sizes: False)
    slow = frame.select(built)["n"]
    assert len(used) == 1
    assert quick.equals(slow, check_dtypes=True)


def test_a_quotient_that_is_too_long_is_null_or_an_error() -> None:
    kind, types = t.DecimalType(5, 2), (t.DecimalType(5, 0), t.DecimalType(5, 0))
    frame = pl.DataFrame({"x": whole([999, 1000, 99999]), "y": whole([1, 3, 1])}).select(
        pl.all().reinterpret(dtype=pl.Decimal(5, 0))
    )
    built = decimals.divide(pl.col("x"), pl.col("y"), types, kind, "legacy")
    assert frame.select(built).to_series().to_list() == [Decimal("999.00"), Decimal("333.33"), None]
    loud = decimals.divide(pl.col("x"), pl.col("y"), types, kind, "ansi")
    with pytest.raises(pl.exceptions.ComputeError, match="NUMERIC_VALUE_OUT_OF_RANGE"):
        frame.select(loud)


# ---- text ----------------------------------------------------------------------------------------

ODD = [
    *(
        "1",
        "-3",
        "+4",
        ".5",
        "5.",
        "-.5",
        "1.005",
        "1.015",
        "-1.005",
        "0000001.10",
        "-0.0",
        "0.005",
    ),
    *("0.4999999999999999999999", "9999999999.995", "9999999999.994", "99999999999.9", "-0.005"),
    *(
        "1_000",
        "1,000",
        "1.2.3",
        "--1",
        "+-1",
        "1-",
        "+",
        "-",
        ".",
        "+.",
        "-.",
        "0x1",
        "inf",
        "nan",
    ),
    *("1e3", "1.5E-2", "1.5d", "1.a", "1.234abc", "a", "1.-5", "1.+5", "$1", "1.5%", "1e", "1.23e"),
    *("1.239e1", "", " ", " 1.239 ", "\t7.777\n", "1 2", "1. 5", "+ 1", "0." + "0" * 30 + "5"),
]


def digits(most: int) -> str:
    return "".join(PICK.choice("0459") for _ in range(PICK.randint(0, most)))


def number(text: str, kind: t.DecimalType) -> int | None:
    """What the decimal of a text is stored as, by Python's own decimals."""
    bare = text.strip()
    if not bare or "_" in bare or not set(bare) <= set("0123456789.+-eE"):
        return None
    with localcontext(prec=120):
        try:
            exact = Decimal(bare).scaleb(kind.scale).to_integral_value(ROUND_HALF_UP)
        except InvalidOperation:
            return None
    return int(exact) if abs(exact) < 10**kind.precision else None


@pytest.mark.parametrize("kind", [(12, 2), (5, 0), (10, 10), (20, 6), (38, 18), (38, 0)])
def test_text_as_a_decimal_is_exact_and_rounded_half_up(kind: tuple[int, int]) -> None:
    new = t.DecimalType(*kind)
    some = [f"{PICK.choice(['', '-', '+', ' '])}{digits(14)}.{digits(20)}" for _ in range(300)]
    texts = [*ODD, *some, *(f"{text} " for text in some[:50])]
    found = reading.unscaled_of_text(pl.Series([*texts, None]), new).to_list()
    assert found == [*(number(text, new) for text in texts), None]
    alone = [reading.unscaled_of_text(pl.Series([text]), new).item() for text in texts[:120]]
    assert alone == found[:120]  # whatever else is in the batch


@pytest.mark.parametrize(
    ("text", "code"),
    [("1.5x", "CAST_INVALID_INPUT"), ("", "CAST_INVALID_INPUT"), ("1000.25", "NUMERIC_VALUE_OUT")],
)
def test_text_that_is_no_decimal_says_so(text: str, code: str) -> None:
    frame = pl.DataFrame({"t": ["1.5", None, text]})
    kind = t.DecimalType(5, 2)
    with pytest.raises(pl.exceptions.ComputeError, match=code):
        frame.select(reading.to_decimal(pl.col("t"), kind, "ansi"))
    found = frame.select(reading.to_decimal(pl.col("t"), kind, "legacy")).to_series().to_list()
    assert found == [Decimal("1.50"), None, None]
