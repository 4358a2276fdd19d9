"""Maps: making them, and what they hold. A key is there once, and is not NULL."""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from planner.columns import types as t
from planner.columns.coercion import common, implied, widest_key
from planner.columns.columnar import to_polars
from planner.columns.expressions import Expr
from planner.columns.functions.arrays import as_array, element, has_null, holds_null, listed, wants
from planner.columns.functions.elements import aligned, by_batch, by_row, together
from planner.columns.functions.raising import raise_where
from planner.columns.functions.registry import TEXT, At, Mismatch, Settings, Typed, coerced, scalar


def as_map(name: str, arg: Expr) -> Expr:
    """The argument, which must be a map; NULL alone becomes one."""
    if isinstance(arg.type, t.MapType):
        return arg
    if isinstance(arg.type, t.NullType):
        raise NotImplementedError(f"{name} of NULL is not there; cast it to a type of map")
    raise Mismatch(f"{name} is for maps, and was given {arg.type.simpleString()}")


def no_map_in(kind: t.DataType) -> None:
    """Keys cannot be or hold maps."""
    if "map<" in kind.simpleString():
        raise Mismatch(
            f"a key of a map cannot be {kind.simpleString()}",
            "DATATYPE_MISMATCH.INVALID_MAP_KEY_TYPE",
        )


def map_of(at: At, keys: pl.Expr, values: pl.Expr, sure: bool = False) -> pl.Expr:
    """Maps of lists of keys and of values; `sure` that no key is NULL or there twice."""
    if not sure:
        keys = raise_where(
            has_null(keys).fill_null(False), "NULL_MAP_KEY", "a key of a map cannot be NULL", keys
        )
        twice = keys.list.n_unique() != keys.list.len()
        words = "a map was given a key twice"
        keys = raise_where(twice.fill_null(False), "DUPLICATED_MAP_KEY", words, keys)

    def run(ks: pl.Series, vs: pl.Series) -> pl.Series:
        frame, lengths, there = aligned([ks, vs], ["key", "value"])
        entries = frame.select("key", "value").to_struct()
        found = together(entries, lengths, there)
        return found.to_frame("m").select(pl.col("m").list.to_map()).to_series()

    return by_batch(run, at.type, keys, values)


# ---- making --------------------------------------------------------------------------------------


def _made(args: Sequence[Expr], settings: Settings) -> Typed:
    if len(args) % 2:
        raise Mismatch(
            "a map is made of keys and values in turn", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION"
        )
    if not args:
        return (), t.MapType(t.NULL, t.NULL, False), False
    key, value = common(arg.type for arg in args[::2]), common(arg.type for arg in args[1::2])
    if key is None or value is None:
        side = "keys" if key is None else "values"
        raise Mismatch(
            f"the {side} of a map must be of one type",
            f"DATATYPE_MISMATCH.CREATE_MAP_{side[:-1].upper()}_DIFF_TYPES",
        )
    no_map_in(key)
    found = [implied(arg, (key, value)[place % 2]) for place, arg in enumerate(args)]
    null = any(arg.nullable for arg in args[1::2])
    return tuple(found), t.MapType(key, value, null), False


@scalar("map", "create_map", resolve=_made)
def create_map(at: At, *args: pl.Expr) -> pl.Expr:
    kind = at.type
    assert isinstance(kind, t.MapType)
    if not args:
        return pl.lit(pl.Series([{}], dtype=to_polars(kind))).first()
    return map_of(at, listed(kind.keyType, *args[::2]), listed(kind.valueType, *args[1::2]))


def _paired(args: Sequence[Expr], settings: Settings) -> Typed:
    wants("map_from_arrays", args, 2)
    keys, values = (as_array("map_from_arrays", arg) for arg in args)
    no_map_in(element(keys.type))
    kind = t.MapType(element(keys.type), element(values.type), holds_null(values.type))
    return (keys, values), kind, keys.nullable or values.nullable


@scalar("map_from_arrays", resolve=_paired)
def map_from_arrays(at: At, keys: pl.Expr, values: pl.Expr) -> pl.Expr:
    uneven = (keys.list.len() != values.list.len()).fill_null(False)
    words = "the arrays of keys and of values must be of one length"
    keys = raise_where(uneven, "_LEGACY_ERROR_TEMP_2128", words, keys)
    return map_of(at, keys, values)


def _entered(args: Sequence[Expr], settings: Settings) -> Typed:
    wants("map_from_entries", args, 1)
    kind = args[0].type
    pair = kind.elementType if isinstance(kind, t.ArrayType) else None
    if not isinstance(pair, t.StructType) or len(pair) != 2:
        raise Mismatch(f"map_from_entries is for arrays of pairs, not {kind.simpleString()}")
    no_map_in(pair.fields[0].dataType)
    found = t.MapType(pair.fields[0].dataType, pair.fields[1].dataType, pair.fields[1].nullable)
    return tuple(args), found, args[0].nullable or holds_null(kind)


@scalar("map_from_entries", resolve=_entered)
def map_from_entries(at: At, entries: pl.Expr) -> pl.Expr:
    pair = element(at.types[0])
    assert isinstance(pair, t.StructType)
    whole = pl.when(~has_null(entries)).then(entries)
    keys, values = (whole.list.eval(pl.element().struct.field(name)) for name in pair.names)
    return map_of(at, keys, values)


def _together(args: Sequence[Expr], settings: Settings) -> Typed:
    maps = [as_map("map_concat", arg) for arg in args]
    one = common(arg.type for arg in maps) if maps else t.MapType(t.STRING, t.STRING)
    keys = {isinstance(m.type.keyType, t.StringType) for m in maps if isinstance(m.type, t.MapType)}
    if not isinstance(one, t.MapType) or len(keys) > 1:
        kinds = ", ".join(arg.type.simpleString() for arg in maps)
        raise Mismatch(
            f"map_concat is for maps of one type, not {kinds}", "DATATYPE_MISMATCH.DATA_DIFF_TYPES"
        )
    return tuple(implied(arg, one) for arg in maps), one, any(arg.nullable for arg in maps)


@scalar("map_concat", resolve=_together)
def map_concat(at: At, *maps: pl.Expr) -> pl.Expr:
    if not maps:
        return pl.lit(pl.Series([{}], dtype=to_polars(at.type))).first()
    keys = pl.concat_list([held.map.keys() for held in maps])
    return map_of(at, keys, pl.concat_list([held.map.values() for held in maps]))


def _split(args: Sequence[Expr], settings: Settings) -> Typed:
    args = coerced("str_to_map", args, (TEXT, TEXT, TEXT), None, 1)
    return args, t.MapType(t.STRING, t.STRING, True), any(arg.nullable for arg in args)


@scalar("str_to_map", resolve=_split)
def str_to_map(
    at: At, text: pl.Expr, between: pl.Expr | None = None, inside: pl.Expr | None = None
) -> pl.Expr:
    """The separators are regular expressions."""
    pair = t.StructType([t.StructField("key", t.STRING), t.StructField("value", t.STRING)])

    def split(value: str | None, pairs: str | None, keys: str | None) -> object:
        if value is None or pairs is None or keys is None:
            return None
        parts = re.split(pairs, value)
        cut = [re.split(keys, part, maxsplit=1) for part in parts]
        return [{"key": each[0], "value": each[1] if len(each) > 1 else None} for each in cut]

    between = pl.lit(",") if between is None else between
    inside = pl.lit(":") if inside is None else inside
    entries = by_row(split, t.ArrayType(pair), text, between, inside)
    keys, values = (entries.list.eval(pl.element().struct.field(name)) for name in pair.names)
    return map_of(at, keys, values)


# ---- what they hold ------------------------------------------------------------------------------


def _of_map(name: str, args: Sequence[Expr]) -> Typed:
    wants(name, args, 1)
    held = as_map(name, args[0])
    kind = held.type
    assert isinstance(kind, t.MapType)
    if name == "map_keys":
        return (held,), t.ArrayType(kind.keyType, True), held.nullable
    if name == "map_values":
        return (held,), t.ArrayType(kind.valueType, kind.valueContainsNull), held.nullable
    entry = t.StructType(
        [
            t.StructField("key", kind.keyType, False),
            t.StructField("value", kind.valueType, kind.valueContainsNull),
        ]
    )
    return (held,), t.ArrayType(entry, False), held.nullable


@scalar("map_keys", resolve=lambda args, at: _of_map("map_keys", args))
def map_keys(at: At, held: pl.Expr) -> pl.Expr:
    return held.map.keys()


@scalar("map_values", resolve=lambda args, at: _of_map("map_values", args))
def map_values(at: At, held: pl.Expr) -> pl.Expr:
    return held.map.values()


@scalar("map_entries", resolve=lambda args, at: _of_map("map_entries", args))
def map_entries(at: At, held: pl.Expr) -> pl.Expr:
    return held.map.entries()


def _looked_for(args: Sequence[Expr], settings: Settings) -> Typed:
    wants("map_contains_key", args, 2)
    held = as_map("map_contains_key", args[0])
    kind = held.type
    assert isinstance(kind, t.MapType)
    if isinstance(args[1].type, t.NullType):
        raise Mismatch("the key to look for is NULL", "DATATYPE_MISMATCH.NULL_TYPE")
    key = widest_key(kind.keyType, args[1].type)
    if key is None:
        raise Mismatch(
            f"the keys of {kind.simpleString()} cannot be {args[1].type.simpleString()}",
            "DATATYPE_MISMATCH.MAP_FUNCTION_DIFF_TYPES",
        )
    held = implied(held, t.MapType(key, kind.valueType, kind.valueContainsNull))
    wanted = implied(args[1], key)
    return (held, wanted), t.BOOLEAN, held.nullable or wanted.nullable


@scalar("map_contains_key", resolve=_looked_for)
def map_contains_key(at: At, held: pl.Expr, key: pl.Expr) -> pl.Expr:
    return pl.when(key.is_not_null()).then(held.map.contains_key(key))
