"""Functions of mathematics on binary fractions."""

from __future__ import annotations

import math as py
from collections.abc import Callable

import polars as pl

from planner.columns import types as t
from planner.columns.functions.elements import by_batch
from planner.columns.functions.registry import INT, LONG, REAL, At, scalar

NAN = float("nan")


def _real(names: str, build: Callable[[pl.Expr], pl.Expr]) -> None:
    scalar(*names.split(), takes=(REAL,), gives=t.DOUBLE)(lambda at, x: build(x))


def _logarithm(names: str, low: float, build: Callable[[pl.Expr], pl.Expr]) -> None:
    """A logarithm: NULL at and below `low`, where there is none."""
    name = names.split()
    scalar(*name, takes=(REAL,), gives=t.DOUBLE, null=True)(
        lambda at, x: pl.when(x > low).then(build(x))
    )


def exactly(f: Callable[[float], float], x: pl.Expr) -> pl.Expr:
    """A function of Python's `math`, NaN where it refuses a number."""

    def one(value: float | None) -> float | None:
        if value is None:
            return None
        try:
            return f(value)
        except ValueError:
            return NAN
        except OverflowError:
            return py.inf

    return by_batch(lambda xs: pl.Series([one(v) for v in xs], dtype=pl.Float64), t.DOUBLE, x)


_real("sqrt", lambda x: x.sqrt())
_real("exp", lambda x: x.exp())
_real("expm1", lambda x: exactly(py.expm1, x))
_real("sin", lambda x: x.sin())
_real("cos", lambda x: x.cos())
_real("tan", lambda x: x.tan())
_real("cot", lambda x: 1.0 / x.tan())
_real("sec", lambda x: 1.0 / x.cos())
_real("csc", lambda x: 1.0 / x.sin())
_real("asin", lambda x: x.arcsin())
_real("acos", lambda x: x.arccos())
_real("atan", lambda x: x.arctan())
_real("sinh", lambda x: x.sinh())
_real("cosh", lambda x: x.cosh())
_real("tanh", lambda x: x.tanh())
_real("asinh", lambda x: x.arcsinh())
_real("acosh", lambda x: x.arccosh())
_real("atanh", lambda x: x.arctanh())
_real("cbrt", lambda x: x.cbrt())
_real("degrees", lambda x: x.degrees())
_real("radians", lambda x: x.radians())
_real("signum sign", lambda x: pl.when((x == 0) | x.is_nan()).then(x).otherwise(x.sign()))
_real("rint", lambda x: x.round(0, mode="half_to_even"))
_logarithm("ln", 0.0, lambda x: x.log())
_logarithm("log10", 0.0, lambda x: x.log10())
_logarithm("log2", 0.0, lambda x: x.log(2.0))
_logarithm("log1p", -1.0, lambda x: x.log1p())


@scalar("log", takes=(REAL, REAL), least=1, gives=t.DOUBLE, null=True)
def log(at: At, base: pl.Expr, x: pl.Expr | None = None) -> pl.Expr:
    if x is None:
        return pl.when(base > 0).then(base.log())
    return pl.when((base > 0) & (x > 0)).then(x.log() / base.log())


@scalar("pow", "power", takes=(REAL, REAL), gives=t.DOUBLE)
def power(at: At, x: pl.Expr, y: pl.Expr) -> pl.Expr:
    # In Java 1 to the power of NaN, and -1 to infinity, are no numbers.
    none = y.is_nan() | (x.is_nan() & (y != 0)) | ((x.abs() == 1) & y.is_infinite())
    none = none & x.is_not_null() & y.is_not_null()
    return pl.when(none).then(NAN).otherwise(x.pow(y))


@scalar("atan2", takes=(REAL, REAL), gives=t.DOUBLE)
def atan2(at: At, y: pl.Expr, x: pl.Expr) -> pl.Expr:
    return pl.arctan2(y + 0.0, x + 0.0)  # Spark adds 0.0 too: there is no -0.0


@scalar("hypot", takes=(REAL, REAL), gives=t.DOUBLE)
def hypot(at: At, x: pl.Expr, y: pl.Expr) -> pl.Expr:
    large = pl.max_horizontal(x.abs(), y.abs())
    small = pl.min_horizontal(x.abs(), y.abs())
    part = pl.when(large > 0).then(small / large).otherwise(0.0)
    found = large * (1.0 + part * part).sqrt()
    infinite = x.is_infinite() | y.is_infinite()
    none = x.is_nan() | y.is_nan()
    found = pl.when(infinite).then(py.inf).when(none).then(NAN).otherwise(found)
    return pl.when(x.is_not_null() & y.is_not_null()).then(found)


_FACTORIALS = [py.factorial(n) for n in range(21)]


@scalar("factorial", takes=(INT,), gives=t.LONG, null=True)
def factorial(at: At, n: pl.Expr) -> pl.Expr:
    table = pl.lit(pl.Series(_FACTORIALS, dtype=pl.Int64).implode()).first()
    return table.list.get(pl.when(n.is_between(0, 20)).then(n), null_on_oob=True)


@scalar("e", gives=t.DOUBLE, null=False)
def e(at: At) -> pl.Expr:
    return pl.lit(py.e)


@scalar("pi", gives=t.DOUBLE, null=False)
def pi(at: At) -> pl.Expr:
    return pl.lit(py.pi)


@scalar("width_bucket", takes=(REAL, REAL, REAL, LONG), gives=t.LONG, null=True)
def width_bucket(at: At, x: pl.Expr, low: pl.Expr, high: pl.Expr, count: pl.Expr) -> pl.Expr:
    wrong = (count <= 0) | (low == high) | x.is_nan() | low.is_infinite() | high.is_infinite()
    wrong = wrong | low.is_nan() | high.is_nan()
    up, n = low < high, count.cast(pl.Float64)
    inside = pl.when(up).then((x - low) / (high - low)).otherwise((low - x) / (low - high))
    before = pl.when(up).then(x < low).otherwise(x > low)
    after = pl.when(up).then(x >= high).otherwise(x <= high)
    zero = pl.lit(0, dtype=pl.Int64)
    within = (n * inside).cast(pl.Int64, strict=False) + 1
    found = pl.when(before).then(zero).when(after).then(count + 1).otherwise(within)
    there = x.is_not_null() & low.is_not_null() & high.is_not_null() & count.is_not_null()
    return pl.when(there & ~wrong).then(found)
