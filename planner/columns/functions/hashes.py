"""Spark's two hashes of values, Murmur3 of 32 bits and XXH64, over whole columns at a time.

A hash of several values, of a struct or an array is that of the first, used as the seed of the
next; NULL leaves the seed as it is.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from planner.columns import types as t
from planner.columns.columnar import to_polars


class Hash:
    """Base: numbers of 4 or 8 bytes and bytes into a running hash `h`, all unsigned columns."""

    kind: pl.DataType

    def lit(self, value: int) -> pl.Expr:
        return pl.lit(value, dtype=self.kind)

    def rotated(self, x: pl.Expr, places: int) -> pl.Expr:
        bits = 32 if self.kind == pl.UInt32() else 64
        return (x * self.lit(2**places)) | (x // self.lit(2 ** (bits - places)))

    def shifted(self, x: pl.Expr, places: int) -> pl.Expr:
        """x xor x >>> places"""
        return x ^ (x // self.lit(2**places))

    def int32(self, x: pl.Expr, h: pl.Expr) -> pl.Expr:
        raise NotImplementedError

    def int64(self, x: pl.Expr, h: pl.Expr) -> pl.Expr:
        raise NotImplementedError

    def data(self, values: pl.Series, h: pl.Series) -> pl.Series:
        raise NotImplementedError


def _apply(f: Callable[..., pl.Expr], *columns: pl.Series) -> pl.Series:
    frame = pl.DataFrame({str(at): column for at, column in enumerate(columns)})
    return frame.select(f(*(pl.col(name) for name in frame.columns)).alias("h")).to_series()


def _word(values: pl.Series, at: int | pl.Series, kind: pl.DataType, size: int) -> pl.Series:
    """`size` bytes from a place as a number, NULL where there are none."""
    places = pl.Series([at], dtype=pl.Int64) if isinstance(at, int) else at
    frame = pl.DataFrame({"b": values}).with_columns(at=places if isinstance(at, pl.Series) else at)
    cut = pl.col("b").bin.slice(pl.col("at"), size)
    whole = pl.when(cut.bin.size() == size).then(cut)
    return frame.select(whole.bin.reinterpret(dtype=kind).alias("w")).to_series()


class Murmur3(Hash):
    """MurmurHash3, with the bytes after the last whole word taken one by one, as Spark does."""

    kind = pl.UInt32()

    def mixed(self, k: pl.Expr, h: pl.Expr) -> pl.Expr:
        k = self.rotated(k * self.lit(0xCC9E2D51), 15) * self.lit(0x1B873593)
        return self.rotated(h ^ k, 13) * self.lit(5) + self.lit(0xE6546B64)

    def final(self, h: pl.Expr, size: pl.Expr) -> pl.Expr:
        h = self.shifted(h ^ size, 16) * self.lit(0x85EBCA6B)
        return self.shifted(self.shifted(h, 13) * self.lit(0xC2B2AE35), 16)

    def int32(self, x: pl.Expr, h: pl.Expr) -> pl.Expr:
        return self.final(self.mixed(x, h), self.lit(4))

    def int64(self, x: pl.Expr, h: pl.Expr) -> pl.Expr:
        low = (x & pl.lit(2**32 - 1, dtype=pl.UInt64)).cast(pl.UInt32)
        high = (x // pl.lit(2**32, dtype=pl.UInt64)).cast(pl.UInt32)
        return self.final(self.mixed(high, self.mixed(low, h)), self.lit(8))

    def data(self, values: pl.Series, h: pl.Series) -> pl.Series:
        sizes = values.bin.size().cast(pl.Int64)
        longest = int(sizes.max() or 0)  # type: ignore[arg-type]
        start = h
        for at in range(0, longest - 3, 4):
            word = _word(values, at, pl.UInt32(), 4)
            h = _apply(
                lambda w, x: pl.when(w.is_not_null()).then(self.mixed(w, x)).otherwise(x), word, h
            )
        for rest in range(3):
            places = sizes - sizes % 4 + rest
            byte = _word(values, places, pl.Int8(), 1).cast(pl.Int32).reinterpret(dtype=pl.UInt32)
            h = _apply(
                lambda w, x: pl.when(w.is_not_null()).then(self.mixed(w, x)).otherwise(x), byte, h
            )
        full = _apply(self.final, h, sizes.cast(pl.UInt32))
        return _apply(lambda v, x, s: pl.when(v.is_null()).then(s).otherwise(x), sizes, full, start)


_P = (
    0x9E3779B185EBCA87,
    0xC2B2AE3D27D4EB4F,
    0x165667B19E3779F9,
    0x85EBCA77C2B2AE63,
    0x27D4EB2F165667C5,
)


class XXH64(Hash):
    """XXH64."""

    kind = pl.UInt64()

    def p(self, which: int) -> pl.Expr:
        return self.lit(_P[which - 1])

    def final(self, h: pl.Expr) -> pl.Expr:
        h = self.shifted(h, 33) * self.p(2)
        return self.shifted(self.shifted(h, 29) * self.p(3), 32)

    def round8(self, x: pl.Expr, h: pl.Expr) -> pl.Expr:
        h = h ^ (self.rotated(x * self.p(2), 31) * self.p(1))
        return self.rotated(h, 27) * self.p(1) + self.p(4)

    def round4(self, x: pl.Expr, h: pl.Expr) -> pl.Expr:
        return self.rotated(h ^ (x * self.p(1)), 23) * self.p(2) + self.p(3)

    def round1(self, x: pl.Expr, h: pl.Expr) -> pl.Expr:
        return self.rotated(h ^ (x * self.p(5)), 11) * self.p(1)

    def int32(self, x: pl.Expr, h: pl.Expr) -> pl.Expr:
        return self.final(self.round4(x.cast(pl.UInt64), h + self.p(5) + self.lit(4)))

    def int64(self, x: pl.Expr, h: pl.Expr) -> pl.Expr:
        return self.final(self.round8(x, h + self.p(5) + self.lit(8)))

    def lane(self, x: pl.Expr, v: pl.Expr) -> pl.Expr:
        return self.rotated(v + x * self.p(2), 31) * self.p(1)

    def _start(self, values: pl.Series, sizes: pl.Series, h: pl.Series) -> pl.Series:
        """The hash of the blocks of 32 bytes, in four lanes."""
        longest = int(sizes.max() or 0)  # type: ignore[arg-type]
        plain = _apply(lambda x: x + self.p(5), h)
        if longest < 32:
            return plain
        offsets = ((_P[0] + _P[1]) % 2**64, _P[1], 0, -_P[0] % 2**64)
        lanes = [_apply(lambda x, o=o: x + self.lit(o), h) for o in offsets]
        for block in range(0, longest - 31, 32):
            inside = sizes >= block + 32
            for n in range(4):
                word = _word(values, block + 8 * n, pl.UInt64(), 8)
                lanes[n] = _apply(
                    lambda i, w, v: pl.when(i).then(self.lane(w, v)).otherwise(v),
                    inside,
                    word,
                    lanes[n],
                )

        def merged(*v: pl.Expr) -> pl.Expr:
            found = self.rotated(v[0], 1) + self.rotated(v[1], 7)
            found = found + self.rotated(v[2], 12) + self.rotated(v[3], 18)
            for each in v:
                found = (found ^ self.lane(each, self.lit(0))) * self.p(1) + self.p(4)
            return found

        together = _apply(merged, *lanes)
        return _apply(lambda s, a, b: pl.when(s >= 32).then(a).otherwise(b), sizes, together, plain)

    def data(self, values: pl.Series, h: pl.Series) -> pl.Series:
        sizes = values.bin.size().cast(pl.Int64)
        found = _apply(lambda x, s: x + s.cast(pl.UInt64), self._start(values, sizes, h), sizes)
        at = sizes - sizes % 32
        step = self.round8, self.round4, self.round1
        for (kind, size, most), mix in zip(
            ((pl.UInt64(), 8, 3), (pl.UInt32(), 4, 1), (pl.UInt8(), 1, 3)), step, strict=True
        ):
            for _ in range(most):
                word = _word(values, at, kind, size).cast(pl.UInt64)
                found = _apply(
                    lambda w, x, mix=mix: pl.when(w.is_not_null()).then(mix(w, x)).otherwise(x),
                    word,
                    found,
                )
                at = _apply(
                    lambda w, a, n=size: pl.when(w.is_not_null()).then(a + n).otherwise(a), word, at
                )
        full = _apply(self.final, found)
        return _apply(lambda v, x, s: pl.when(v.is_null()).then(s).otherwise(x), sizes, full, h)


# ---- values of any type --------------------------------------------------------------------------


def hashed(values: pl.Series, kind: t.DataType, h: pl.Series, how: Hash) -> pl.Series:
    """The hash of a column's values, from the running one."""
    match kind:
        case t.NullType():
            return h
        case t.StringType():
            return how.data(values.cast(pl.Binary), h)
        case t.BinaryType():
            return how.data(values, h)
        case t.DecimalType() if kind.precision > 18:
            found = [None if n is None else _bytes(n) for n in values.to_physical()]
            return how.data(pl.Series(found, dtype=pl.Binary), h)
        case t.StructType():
            for field in kind.fields:
                h = hashed(values.struct.field(field.name), field.dataType, h, how)
            return h
        case t.ArrayType():
            sizes = values.list.len().fill_null(0)
            for at in range(int(sizes.max() or 0)):  # type: ignore[arg-type]
                each = values.list.get(at, null_on_oob=True).cast(to_polars(kind.elementType))
                h = hashed(each, kind.elementType, h, how)
            return h
    bits, wide = _bits(values, kind)
    mix = how.int64 if wide else how.int32
    return _apply(lambda x, s: pl.when(x.is_null()).then(s).otherwise(mix(x, s)), bits, h)


def _bytes(n: int) -> bytes:
    """A whole number as Java writes its bytes: as few as there need to be."""
    return n.to_bytes(((n if n >= 0 else ~n).bit_length() // 8) + 1, "big", signed=True)


def _bits(values: pl.Series, kind: t.DataType) -> tuple[pl.Series, bool]:
    """The bits of a value of fixed width, and whether they are 64."""
    match kind:
        case t.DoubleType() | t.FloatType():
            wide = isinstance(kind, t.DoubleType)
            plain = _apply(
                lambda x: (
                    pl.when(x == 0).then(0.0).when(x.is_nan()).then(float("nan")).otherwise(x)
                ),
                values,
            ).cast(to_polars(kind))
            return plain.reinterpret(dtype=pl.UInt64 if wide else pl.UInt32), wide
        case t.LongType() | t.DecimalType() | t.TimestampType() | t.TimestampNTZType():
            return values.to_physical().cast(pl.Int64).reinterpret(dtype=pl.UInt64), True
        case t.DayTimeIntervalType():
            return values.to_physical().cast(pl.Int64).reinterpret(dtype=pl.UInt64), True
        case t.IntegralType() | t.BooleanType() | t.DateType() | t.YearMonthIntervalType():
            return values.to_physical().cast(pl.Int32).reinterpret(dtype=pl.UInt32), False
    raise NotImplementedError(f"a hash of {kind.simpleString()} is not there")
