"""What asks about the query itself, and what ends it."""

from __future__ import annotations

import random
import uuid as ids
from collections.abc import Sequence

import polars as pl

from planner.columns import types as t
from planner.columns.coercion import implied
from planner.columns.columnar import to_polars
from planner.columns.expressions import Expr, Literal
from planner.columns.functions.elements import by_batch
from planner.columns.functions.raising import END, raise_where
from planner.columns.functions.registry import (
    ANY,
    BOOL,
    INT,
    TEXT,
    At,
    Mismatch,
    Settings,
    Typed,
    scalar,
)
from planner.columns.functions.rowwise import absent, fail


@scalar("typeof", takes=(ANY,), gives=t.STRING, null=False)
def typeof(at: At, value: pl.Expr) -> pl.Expr:
    return pl.lit(at.types[0].simpleString())


@scalar("assert_true", takes=(BOOL, TEXT), least=1, gives=t.NULL, null=True)
def assert_true(at: At, test: pl.Expr, message: pl.Expr | None = None) -> pl.Expr:
    text: str | pl.Expr = "the condition of assert_true is not true"
    if message is not None:
        text = message
    bad = test.not_().fill_null(True)
    return raise_where(bad, "USER_RAISED_EXCEPTION", text, pl.lit(None))


@scalar("raise_error", takes=(TEXT,), gives=t.NULL, null=True)
def raise_error(at: At, message: pl.Expr) -> pl.Expr:
    def run(texts: pl.Series, rows: pl.Series) -> pl.Series:
        if len(rows):
            fail("USER_RAISED_EXCEPTION", f"{texts[0] if texts[0] is not None else 'null'}{END}")
        return pl.Series([], dtype=pl.Null)

    # The places of rows make it a column, which is not computed where no row asks for it.
    return by_batch(run, t.NULL, message, row_number())


# ---- by row --------------------------------------------------------------------------------------


def row_number() -> pl.Expr:
    """The place of each row among those of its partition."""
    return pl.int_range(pl.len(), dtype=pl.Int64)


@scalar("monotonically_increasing_id", gives=t.LONG, null=False)
def monotonically_increasing_id(at: At) -> pl.Expr:
    return row_number() + (at.settings.partition << 33)


@scalar("spark_partition_id", gives=t.INT, null=False)
def spark_partition_id(at: At) -> pl.Expr:
    return pl.lit(at.settings.partition, dtype=pl.Int32)


def _seeded(args: Sequence[Expr], settings: Settings) -> Typed:
    """With a seed of its own if none is given, so that a partition made again is the same."""
    if len(args) > 1:
        raise Mismatch(
            f"this takes at most 1 argument, not {len(args)}", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION"
        )
    seed: Expr = args[0] if args else Literal(random.getrandbits(63), t.LONG)
    if not isinstance(seed, Literal) or not isinstance(seed.value, int | None):
        raise Mismatch("the seed must be a constant whole number")
    return (implied(Literal(seed.value or 0, t.LONG), t.LONG),), t.DOUBLE, False


def _mixed(at: At, stream: int) -> pl.Expr:
    """64 random bits a row: the steps of SplitMix64 on the row's place, seed and partition."""
    seed = hash((int(at.values[0]), at.settings.partition, stream)) % 2**64

    def lit(value: int) -> pl.Expr:
        return pl.lit(value, dtype=pl.UInt64)

    z = (row_number().cast(pl.UInt64) + lit(1)) * lit(0x9E3779B97F4A7C15) + lit(seed)
    z = (z ^ (z // lit(2**30))) * lit(0xBF58476D1CE4E5B9)
    z = (z ^ (z // lit(2**27))) * lit(0x94D049BB133111EB)
    return z ^ (z // lit(2**31))


def uniform(at: At, stream: int = 0) -> pl.Expr:
    """Numbers from 0 to below 1; the same for the same seed, not those that Spark makes of it."""
    return (_mixed(at, stream) // pl.lit(2**11, dtype=pl.UInt64)).cast(pl.Float64) * 2.0**-53


@scalar("rand", "random", resolve=_seeded)
def rand(at: At, seed: pl.Expr) -> pl.Expr:
    return uniform(at)


@scalar("randn", resolve=_seeded)
def randn(at: At, seed: pl.Expr) -> pl.Expr:
    radius = (-2.0 * (1.0 - uniform(at, 1)).log()).sqrt()
    return radius * (uniform(at, 2) * 6.283185307179586).cos()


def _any_seed(args: Sequence[Expr], settings: Settings) -> Typed:
    own, _, _ = _seeded(args, settings)
    return own, t.STRING, False


@scalar("uuid", resolve=_any_seed)
def uuid(at: At, seed: pl.Expr) -> pl.Expr:
    def run(values: Sequence[pl.Series]) -> pl.Series:
        high, low = values
        found = [
            str(ids.UUID(int=(a << 64) | b, version=4)) for a, b in zip(high, low, strict=True)
        ]
        return pl.Series(found, dtype=pl.String)

    return pl.map_batches([_mixed(at, 1), _mixed(at, 2)], run, return_dtype=pl.String())


def _no_arguments(args: Sequence[Expr], settings: Settings) -> Typed:
    if args:
        raise Mismatch(
            f"this takes 0 arguments, and was given {len(args)}",
            "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
        )
    return (), t.STRING, False


@scalar("input_file_name", resolve=_no_arguments)
def input_file_name(at: At) -> pl.Expr:
    """Of rows of no file; analysis makes a column of the others."""
    return pl.lit("")


def _file(args: Sequence[Expr], settings: Settings) -> Typed:
    raise Mismatch("there is no function _metadata", "UNRESOLVED_ROUTINE")


@scalar("_metadata", resolve=_file)
def metadata(at: At) -> pl.Expr:
    """Only typed: analysis puts a column in its place."""
    return pl.lit(None, dtype=to_polars(at.type))


@scalar("varchar_checked", takes=(TEXT, INT), null=True)
def varchar_checked(at: At, text: pl.Expr, most: pl.Expr) -> pl.Expr:
    """A text for a column of varchar(n): blanks at the end that are too many are cut."""
    n = at.values[1]
    long = text.str.strip_chars_end(" ").str.len_chars() > n
    message = f"a text is longer than varchar({n})"
    return raise_where(long.fill_null(False), "EXCEED_LIMIT_LENGTH", message, text.str.head(n))


@scalar("current_user", "user", "session_user", resolve=_no_arguments)
def current_user(at: At) -> pl.Expr:
    return pl.lit(at.settings.user)


@scalar("current_schema", "current_database", resolve=_no_arguments)
def current_schema(at: At) -> pl.Expr:
    return pl.lit(at.settings.database)


@scalar("current_catalog", resolve=_no_arguments)
def current_catalog(at: At) -> pl.Expr:
    return pl.lit("spark_catalog")


absent("version", "spark.version")
