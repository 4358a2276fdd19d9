"""Samples: rows chosen by numbers that look random and are the same each time."""

from __future__ import annotations

import math
from typing import Any

import polars as pl

from executors.relational.nodes import Making, lazily
from planner.query import logical as l

_NUMBER, _STEPS = "#chance", 2.0**53


@lazily.register
def _sample(node: l.Sample, children: list[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    """Every row has a number from [0, 1), made of the seed, the partition and its place."""
    frame, columns = children[0], [attr.column for attr in node.output]
    if not columns:
        raise NotImplementedError("a sample of rows without columns")
    seed = hash((node.seed, at.partition)) & (2**63 - 1)
    number = pl.int_range(pl.len(), dtype=pl.UInt64).hash(seed) % 2**53 / _STEPS
    frame = frame.with_columns(number.alias(_NUMBER))
    if not node.replacement:
        chosen = (pl.col(_NUMBER) >= node.low) & (pl.col(_NUMBER) < node.high)
        return frame.filter(chosen).select(columns)
    times: Any = pl.lit(0, dtype=pl.Int64)
    for bound in poisson(node.high):
        times = times + (pl.col(_NUMBER) >= bound).cast(pl.Int64)
    again = frame.with_columns(pl.lit(True).repeat_by(times).alias(_NUMBER))
    return again.filter(pl.col(_NUMBER).list.len() > 0).explode(_NUMBER).select(columns)


def poisson(mean: float) -> list[float]:
    """The chances of at most 0, 1, 2, … of a Poisson variable, as far as they differ from 1.

    >>> [round(chance, 3) for chance in poisson(0.5)[:3]]
    [0.607, 0.91, 0.986]
    """
    found: list[float] = []
    term = total = math.exp(-mean)
    count = 0
    while total < 1 - 1e-12 and count < 1000:
        found.append(total)
        count += 1
        term *= mean / count
        total += term
    return found
