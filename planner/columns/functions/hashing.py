"""Hashes and digests of values."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Sequence

import polars as pl

from planner.columns import types as t
from planner.columns.expressions import Expr
from planner.columns.functions.elements import by_batch, by_row, evened
from planner.columns.functions.hashes import XXH64, Hash, Murmur3, hashed
from planner.columns.functions.logic import has_map
from planner.columns.functions.registry import (
    BYTES,
    INT,
    At,
    Mismatch,
    Resolve,
    Settings,
    Typed,
    scalar,
)

_SEED = 42


def _typed(name: str, kind: t.DataType) -> Resolve:
    def resolve(args: Sequence[Expr], settings: Settings) -> Typed:
        if not args:
            raise Mismatch(f"{name} takes at least 1 argument", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION")
        if any(has_map(arg.type) for arg in args):
            raise Mismatch(f"{name} is not for maps", "DATATYPE_MISMATCH.HASH_MAP_TYPE")
        return tuple(args), kind, False

    return resolve


def _hash(at: At, args: Sequence[pl.Expr], how: Hash, signed: pl.DataType) -> pl.Expr:
    kinds = at.types

    def run(columns: Sequence[pl.Series]) -> pl.Series:
        even = evened(columns)
        h = pl.Series([_SEED], dtype=how.kind).new_from_index(0, len(even[0]))
        for column, kind in zip(even, kinds, strict=True):
            h = hashed(column, kind, h, how)
        return h.reinterpret(dtype=signed)

    return pl.map_batches(args, run, return_dtype=signed, is_elementwise=True)


@scalar("hash", resolve=_typed("hash", t.INT))
def murmur3(at: At, *args: pl.Expr) -> pl.Expr:
    return _hash(at, args, Murmur3(), pl.Int32())


@scalar("xxhash64", resolve=_typed("xxhash64", t.LONG))
def xxhash64(at: At, *args: pl.Expr) -> pl.Expr:
    return _hash(at, args, XXH64(), pl.Int64())


# ---- digests -------------------------------------------------------------------------------------


def _digest(value: pl.Expr, digest: Callable[[bytes], str]) -> pl.Expr:
    def run(values: pl.Series) -> pl.Series:
        found = [None if each is None else digest(each) for each in values]
        return pl.Series(found, dtype=pl.String)

    return by_batch(run, t.STRING, value)


@scalar("md5", takes=(BYTES,), gives=t.STRING)
def md5(at: At, value: pl.Expr) -> pl.Expr:
    return _digest(value, lambda b: hashlib.md5(b, usedforsecurity=False).hexdigest())


@scalar("sha", "sha1", takes=(BYTES,), gives=t.STRING)
def sha1(at: At, value: pl.Expr) -> pl.Expr:
    return _digest(value, lambda b: hashlib.sha1(b, usedforsecurity=False).hexdigest())


_SHA2 = {
    0: hashlib.sha256,
    224: hashlib.sha224,
    256: hashlib.sha256,
    384: hashlib.sha384,
    512: hashlib.sha512,
}


@scalar("sha2", takes=(BYTES, INT), gives=t.STRING, null=True)
def sha2(at: At, value: pl.Expr, bits: pl.Expr) -> pl.Expr:
    def one(each: bytes | None, size: int | None) -> str | None:
        make = _SHA2.get(size) if size is not None else None
        return None if each is None or make is None else make(each).hexdigest()

    return by_row(one, t.STRING, value, bits)


@scalar("crc32", takes=(BYTES,), gives=t.LONG)
def crc32(at: At, value: pl.Expr) -> pl.Expr:
    def run(values: pl.Series) -> pl.Series:
        found = [None if each is None else zlib.crc32(each) for each in values]
        return pl.Series(found, dtype=pl.Int64)

    return by_batch(run, t.LONG, value)
