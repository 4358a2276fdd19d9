"""Aggregates of statistics: moments of one number, of pairs, and percentiles.

Moments are kept as counts, means and sums of powers of differences from the mean, and merged so
(Chan, Golub and LeVeque, 1979; Pébay, 2008): nothing large is subtracted from something large.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from planner.columns import types as t
from planner.columns.functions.registry import REAL, At, aggregate


def _reals(count: int) -> Callable[[At], tuple[t.DataType, ...]]:
    """The states: how many, and `count` fractions."""
    return lambda at: (t.LONG, *[t.DOUBLE] * count)


def _some(count: pl.Expr, least: int, value: pl.Expr) -> pl.Expr:
    return pl.when(count >= least).then(value)


# ---- of one number -------------------------------------------------------------------------------


def _two(at: At, x: pl.Expr) -> tuple[pl.Expr, ...]:
    count = x.count().cast(pl.Int64)
    return count, x.mean(), x.var(ddof=0) * count


def _mean(n: pl.Expr, mean: pl.Expr) -> pl.Expr:
    """The mean of means; NULL of no values, as a NaN would stay in all that it is merged with."""
    return _some(n.sum(), 1, (n * mean).sum() / n.sum())


def _merged_two(at: At, n: pl.Expr, mean: pl.Expr, m2: pl.Expr) -> tuple[pl.Expr, ...]:
    whole = _mean(n, mean)
    return n.sum(), whole, m2.sum() + (n * (mean - whole) ** 2).sum()


def _sample(at: At, n: pl.Expr, mean: pl.Expr, m2: pl.Expr) -> pl.Expr:
    return _some(n, 2, m2 / (n - 1))


def _population(at: At, n: pl.Expr, mean: pl.Expr, m2: pl.Expr) -> pl.Expr:
    return _some(n, 1, m2 / n)


def _four(at: At, x: pl.Expr) -> tuple[pl.Expr, ...]:
    count, mean, m2 = _two(at, x)
    vary = pl.when(m2 != 0)  # Polars has no skewness of equal values: NaN
    m3 = vary.then(x.skew() * (m2 / count).sqrt() ** 3 * count).otherwise(m2)
    m4 = vary.then(x.kurtosis(fisher=False) * (m2 / count) ** 2 * count).otherwise(m2)
    return count, mean, m2, m3, m4


def _merged_four(
    at: At, n: pl.Expr, mean: pl.Expr, m2: pl.Expr, m3: pl.Expr, m4: pl.Expr
) -> tuple[pl.Expr, ...]:
    count, whole, second = _merged_two(at, n, mean, m2)
    d = mean - whole
    third = m3.sum() + (d * m2 * 3).sum() + (n * d**3).sum()
    fourth = m4.sum() + (d * m3 * 4).sum() + (d**2 * m2 * 6).sum() + (n * d**4).sum()
    return count, whole, second, third, fourth


def _skewness(at: At, n: pl.Expr, mean: pl.Expr, m2: pl.Expr, m3: pl.Expr, m4: pl.Expr) -> pl.Expr:
    return pl.when((n > 0) & (m2 != 0)).then(n.cast(pl.Float64).sqrt() * m3 / (m2**3).sqrt())


def _kurtosis(at: At, n: pl.Expr, mean: pl.Expr, m2: pl.Expr, m3: pl.Expr, m4: pl.Expr) -> pl.Expr:
    return pl.when((n > 0) & (m2 != 0)).then(n * m4 / m2**2 - 3)


def _root(of: Callable[..., pl.Expr]) -> Callable[..., pl.Expr]:
    return lambda at, *states: of(at, *states).sqrt()


def _moment(
    *names: str,
    partial: Callable[..., tuple[pl.Expr, ...]],
    merge: Callable[..., tuple[pl.Expr, ...]],
    final: Callable[..., pl.Expr],
    wide: int,
    args: int = 1,
) -> None:
    """Enter an aggregate that is its final step over its partial one."""
    enter = aggregate(
        *names,
        takes=(REAL,) * args,
        gives=t.DOUBLE,
        null=True,
        partial=partial,
        merge=merge,
        final=final,
        states=_reals(wide),
    )
    enter(lambda at, *values: final(at, *partial(at, *values)))


_moment("variance", "var_samp", partial=_two, merge=_merged_two, final=_sample, wide=2)
_moment("var_pop", partial=_two, merge=_merged_two, final=_population, wide=2)
_moment(
    "stddev", "std", "stddev_samp", partial=_two, merge=_merged_two, final=_root(_sample), wide=2
)
_moment("stddev_pop", partial=_two, merge=_merged_two, final=_root(_population), wide=2)
_moment("skewness", partial=_four, merge=_merged_four, final=_skewness, wide=4)
_moment("kurtosis", partial=_four, merge=_merged_four, final=_kurtosis, wide=4)


# ---- of pairs ------------------------------------------------------------------------------------
# The states: pairs, mean of the first, of the second, sums of squared differences, of products.


def _pairs(at: At, a: pl.Expr, b: pl.Expr) -> tuple[pl.Expr, ...]:
    both = a.is_not_null() & b.is_not_null()
    x, y = pl.when(both).then(a), pl.when(both).then(b)
    count = both.sum().cast(pl.Int64)
    spread = (x.var(ddof=0) * count, y.var(ddof=0) * count, pl.cov(x, y, ddof=0) * count)
    return count, x.mean(), y.mean(), *spread


def _merged_pairs(
    at: At, n: pl.Expr, x: pl.Expr, y: pl.Expr, xx: pl.Expr, yy: pl.Expr, xy: pl.Expr
) -> tuple[pl.Expr, ...]:
    mean_x, mean_y = _mean(n, x), _mean(n, y)
    dx, dy = x - mean_x, y - mean_y
    return (
        n.sum(),
        mean_x,
        mean_y,
        xx.sum() + (n * dx**2).sum(),
        yy.sum() + (n * dy**2).sum(),
        xy.sum() + (n * dx * dy).sum(),
    )


States = tuple[pl.Expr, ...]


def _pair(*names: str, final: Callable[..., pl.Expr]) -> None:
    _moment(*names, partial=_pairs, merge=_merged_pairs, final=final, wide=5, args=2)


def _corr(at: At, *s: pl.Expr) -> pl.Expr:
    scale = (s[3] * s[4]).sqrt()
    return pl.when((s[0] > 1) & (scale != 0)).then(s[5] / scale)


def _r2(at: At, *s: pl.Expr) -> pl.Expr:
    """`s` of (y, x): NULL where x does not vary, 1 where y does not."""
    found = pl.when(s[4] == 0).then(None).when(s[3] == 0).then(1.0)
    return _some(s[0], 1, found.otherwise(s[5] * s[5] / s[3] / s[4]))


def _slope(at: At, *s: pl.Expr) -> pl.Expr:
    return pl.when((s[0] > 1) & (s[4] != 0)).then(s[5] / s[4])


_pair("corr", final=_corr)
_pair("covar_pop", final=lambda at, *s: _some(s[0], 1, s[5] / s[0]))
_pair("covar_samp", final=lambda at, *s: _some(s[0], 2, s[5] / (s[0] - 1)))
_pair("regr_avgx", final=lambda at, *s: _some(s[0], 1, s[2]))
_pair("regr_avgy", final=lambda at, *s: _some(s[0], 1, s[1]))
_pair("regr_sxx", final=lambda at, *s: _some(s[0], 1, s[4]))
_pair("regr_syy", final=lambda at, *s: _some(s[0], 1, s[3]))
_pair("regr_sxy", final=lambda at, *s: _some(s[0], 1, s[5]))
_pair("regr_slope", final=_slope)
_pair("regr_intercept", final=lambda at, *s: s[1] - _slope(at, *s) * s[2])
_pair("regr_r2", final=_r2)


@aggregate(
    "regr_count",
    takes=(REAL, REAL),
    gives=t.LONG,
    null=False,
    partial=lambda at, a, b: ((a.is_not_null() & b.is_not_null()).sum().cast(pl.Int64),),
    merge=lambda at, s: (s.sum(),),
    final=lambda at, s: s,
    states=lambda at: (t.LONG,),
)
def regr_count(at: At, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return (a.is_not_null() & b.is_not_null()).sum().cast(pl.Int64)
