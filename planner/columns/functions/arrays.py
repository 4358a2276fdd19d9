"""Arrays: making them, reading places of them, looking for values, cutting and joining."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from planner.columns import types as t
from planner.columns.casting import cast
from planner.columns.coercion import common, implied, widest, widest_key
from planner.columns.columnar import to_polars
from planner.columns.expressions import Alias, Attr, Call, Expr
from planner.columns.functions.elements import by_batch, each
from planner.columns.functions.raising import raise_where
from planner.columns.functions.registry import (
    ANY,
    ARRAY,
    INT,
    TEXT,
    At,
    Mismatch,
    Settings,
    Typed,
    coerced,
    scalar,
    value_of,
)


def element(kind: t.DataType) -> t.DataType:
    """The type of an array's elements."""
    return kind.elementType if isinstance(kind, t.ArrayType) else t.NULL


def holds_null(kind: t.DataType) -> bool:
    """Whether elements of an array may be NULL."""
    return kind.containsNull if isinstance(kind, t.ArrayType) else True


def listed(kind: t.DataType, *values: pl.Expr) -> pl.Expr:
    """A list of the values in each row. Structs keep Polars from joining lists."""
    if not isinstance(kind, t.ArrayType | t.MapType | t.StructType | t.NullType):
        return pl.concat_list(values)
    boxes = pl.concat_list([pl.struct(value.alias("x")) for value in values])
    return boxes.list.eval(pl.element().struct.field("x"))


def has_null(array: pl.Expr) -> pl.Expr:
    """Whether an array has a NULL; NULL for no array."""
    return array.list.agg(pl.element().is_null().any())


def unpromoted(a: t.DataType, b: t.DataType) -> t.DataType | None:
    """As `widest`, but text does not become something else."""
    texts = isinstance(a, t.StringType) + isinstance(b, t.StringType)
    nulls = isinstance(a, t.NullType) or isinstance(b, t.NullType)
    return None if texts == 1 and not nulls else widest(a, b)


def the_array(name: str, arg: Expr) -> t.ArrayType:
    """The type of an argument that must be an array."""
    if isinstance(arg.type, t.ArrayType):
        return arg.type
    if isinstance(arg.type, t.NullType):
        return t.ArrayType(t.NULL, True)
    raise Mismatch(f"{name} is for arrays, and was given {arg.type.simpleString()}")


def wants(name: str, args: Sequence[Expr], least: int, most: int | None = None) -> None:
    """Raise Mismatch for a wrong number of arguments."""
    most = least if most is None else most
    if not least <= len(args) <= most:
        numbers = str(least) if least == most else f"{least} to {most}"
        raise Mismatch(
            f"{name} takes {numbers} arguments, and was given {len(args)}",
            "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
        )


def some_array(name: str, arg: Expr) -> t.ArrayType:
    """As `the_array`, but NULL alone will not do."""
    if isinstance(arg.type, t.NullType):
        raise Mismatch(f"{name} is for arrays, and was given NULL")
    return the_array(name, arg)


def as_array(name: str, arg: Expr) -> Expr:
    """The argument as an array; NULL alone becomes one of an array type."""
    return implied(arg, the_array(name, arg))


# ---- making --------------------------------------------------------------------------------------


def _made(args: Sequence[Expr], settings: Settings) -> Typed:
    one = common(arg.type for arg in args)
    if one is None:
        kinds = ", ".join(arg.type.simpleString() for arg in args)
        raise Mismatch(
            f"the elements of an array must be of one type, and are {kinds}",
            "DATATYPE_MISMATCH.DATA_DIFF_TYPES",
        )
    found = tuple(implied(arg, one) for arg in args)
    return found, t.ArrayType(one, any(arg.nullable for arg in found)), False


@scalar("array", resolve=_made)
def array(at: At, *values: pl.Expr) -> pl.Expr:
    if not values:
        return pl.lit(pl.Series([[]], dtype=to_polars(at.type))).first()
    return listed(element(at.type), *values).cast(to_polars(at.type))


def _repeated(args: Sequence[Expr], settings: Settings) -> Typed:
    args = coerced("array_repeat", args, (ANY, INT), None, None)
    return args, t.ArrayType(args[0].type, args[0].nullable), args[1].nullable


@scalar("array_repeat", resolve=_repeated)
def array_repeat(at: At, value: pl.Expr, count: pl.Expr) -> pl.Expr:
    def run(values: pl.Series, counts: pl.Series) -> pl.Series:
        boxed = pl.DataFrame({"x": values, "n": counts}).select(
            x=pl.struct("x").repeat_by(pl.col("n").clip(0).cast(pl.UInt32))
        )
        return boxed["x"].list.eval(pl.element().struct.field("x"))

    return by_batch(run, at.type, value, count)


# ---- places --------------------------------------------------------------------------------------


def in_array(array: pl.Expr, index: pl.Expr, at: At, code: str, use: str, first: int) -> pl.Expr:
    """The element at a place counted from 0; outside, an error under ANSI, else NULL."""
    size = array.list.len().cast(pl.Int64)
    inside = (index >= 0) & (index < size)
    found = array.list.get(pl.when(inside).then(index), null_on_oob=True)
    if not at.ansi or not code:
        return found
    words = f"the array has no element {'at that place' if first else 'of that index'}; {use}"
    return raise_where(~inside, code, words, found)


def _got(args: Sequence[Expr], settings: Settings) -> Typed:
    args = coerced("get", args, (ARRAY, INT), None, None)
    some_array("get", args[0])
    return (as_array("get", args[0]), args[1]), element(args[0].type), True


@scalar("get", resolve=_got)
def get(at: At, array: pl.Expr, index: pl.Expr) -> pl.Expr:
    return in_array(array, index, at, "", "", 0)


def _element_at(args: Sequence[Expr], settings: Settings) -> Typed:
    wants("element_at", args, 2)
    kind = args[0].type
    if isinstance(kind, t.MapType):
        key = widest_key(kind.keyType, args[1].type)
        if key is None or isinstance(args[1].type, t.NullType):
            raise Mismatch(
                f"the keys of {kind.simpleString()} cannot be {args[1].type.simpleString()}",
                "DATATYPE_MISMATCH.MAP_FUNCTION_DIFF_TYPES",
            )
        whole = t.MapType(key, kind.valueType, kind.valueContainsNull)
        return (implied(args[0], whole), implied(args[1], key)), kind.valueType, True
    if not isinstance(args[1].type, t.IntegralType):
        raise Mismatch(f"a place in an array is an int, not {args[1].type.simpleString()}")
    return (as_array("element_at", args[0]), implied(args[1], t.INT)), element(kind), True


def _counted_from_one(at: At, place: pl.Expr, array: pl.Expr) -> pl.Expr:
    """An index from 0 for a place from 1, or from the end if negative; -1 before the start."""
    size = array.list.len().cast(pl.Int64)
    place = place.cast(pl.Int64)
    index = pl.when(place > 0).then(place - 1).otherwise((place + size).clip(-1))
    zero = (place == 0) & array.is_not_null()
    return raise_where(zero, "INVALID_INDEX_OF_ZERO", "places are counted from 1, or -1", index)


@scalar("element_at", resolve=_element_at)
def element_at(at: At, holder: pl.Expr, key: pl.Expr) -> pl.Expr:
    if isinstance(at.types[0], t.MapType):
        return holder.map.get(key)
    index = _counted_from_one(at, key, holder)
    use = "use try_element_at for NULL"
    return in_array(holder, index, at, "INVALID_ARRAY_INDEX_IN_ELEMENT_AT", use, 1)


@scalar("try_element_at", resolve=_element_at)
def try_element_at(at: At, holder: pl.Expr, key: pl.Expr) -> pl.Expr:
    if isinstance(at.types[0], t.MapType):
        return holder.map.get(key)
    return in_array(holder, _counted_from_one(at, key, holder), at, "", "", 1)


# ---- size ----------------------------------------------------------------------------------------


def _sized(args: Sequence[Expr], settings: Settings) -> Typed:
    wants("size", args, 1)
    if not isinstance(args[0].type, t.ArrayType | t.MapType | t.NullType):
        raise Mismatch(f"size is for arrays and maps, not {args[0].type.simpleString()}")
    arg = args[0] if isinstance(args[0].type, t.MapType) else as_array("size", args[0])
    return (arg,), t.INT, arg.nullable and settings.ansi


@scalar("size", "cardinality", resolve=_sized)
def size(at: At, holder: pl.Expr) -> pl.Expr:
    length = holder.map.len() if isinstance(at.types[0], t.MapType) else holder.list.len()
    found = length.cast(pl.Int32)
    return found if at.ansi else found.fill_null(-1)


@scalar("array_size", takes=(ARRAY,), gives=t.INT)
def array_size(at: At, array: pl.Expr) -> pl.Expr:
    return array.list.len().cast(pl.Int32)


# ---- looking for values --------------------------------------------------------------------------


def with_value(name: str, args: Sequence[Expr]) -> tuple[Expr, Expr]:
    """An array and a value, of one element type."""
    wants(name, args, 2)
    looks = name == "array_contains"
    kind = the_array(name, args[0]) if looks else some_array(name, args[0])
    value = args[1]
    one = unpromoted(kind.elementType, value.type)
    if one is None or (looks and t.NULL in (args[0].type, value.type)):
        raise Mismatch(
            f"{name} cannot look for {value.type.simpleString()} in {kind.simpleString()}",
            "DATATYPE_MISMATCH.ARRAY_FUNCTION_DIFF_TYPES"
            if one is None
            else "DATATYPE_MISMATCH.NULL_TYPE",
        )
    return implied(args[0], t.ArrayType(one, kind.containsNull)), implied(value, one)


def _contained(args: Sequence[Expr], settings: Settings) -> Typed:
    found = with_value("array_contains", args)
    null = any(arg.nullable for arg in found) or holds_null(found[0].type)
    return found, t.BOOLEAN, null


def equal(array: pl.Expr, value: pl.Expr) -> pl.Expr:
    """Lists that say of each element whether it is the value (NaN is itself)."""
    return each(lambda x, y: x == y, [array], t.BOOLEAN, value)


@scalar("array_contains", resolve=_contained)
def array_contains(at: At, array: pl.Expr, value: pl.Expr) -> pl.Expr:
    if holds_null(at.types[0]) or isinstance(element(at.types[0]), t.ArrayType | t.StructType):
        same = equal(array, value)
        unknown = same.list.agg(pl.element().is_null().any())
        found = pl.when(same.list.any()).then(pl.lit(True)).when(~unknown).then(pl.lit(False))
        return pl.when(array.is_not_null() & value.is_not_null()).then(found)
    return pl.when(array.is_not_null() & value.is_not_null()).then(array.list.contains(value))


def _placed(args: Sequence[Expr], settings: Settings) -> Typed:
    found = with_value("array_position", args)
    return found, t.LONG, any(arg.nullable for arg in found)


@scalar("array_position", resolve=_placed)
def array_position(at: At, array: pl.Expr, value: pl.Expr) -> pl.Expr:
    same = equal(array, value)
    first = same.list.agg(pl.element().arg_true().first()).cast(pl.Int64) + 1
    found = pl.when(same.list.any()).then(first).otherwise(pl.lit(0, dtype=pl.Int64))
    return pl.when(array.is_not_null() & value.is_not_null()).then(found)


def _without(args: Sequence[Expr], settings: Settings) -> Typed:
    found = with_value("array_remove", args)
    return found, found[0].type, any(arg.nullable for arg in found)


@scalar("array_remove", resolve=_without)
def array_remove(at: At, array: pl.Expr, value: pl.Expr) -> pl.Expr:
    box = t.StructType([t.StructField("x", element(at.type)), t.StructField("keep", t.BOOLEAN)])
    boxed = each(lambda x, y: pl.struct(x=x, keep=(x != y).fill_null(True)), [array], box, value)
    kept = boxed.list.eval(pl.element().filter(pl.element().struct.field("keep")).struct.field("x"))
    return pl.when(value.is_not_null()).then(kept)


@scalar(
    "array_compact",
    takes=(ARRAY,),
    gives=lambda types: t.ArrayType(element(types[0]), False),
)
def array_compact(at: At, array: pl.Expr) -> pl.Expr:
    return array.list.drop_nulls()


# ---- longer and shorter --------------------------------------------------------------------------


def _grown(name: str, args: Sequence[Expr], settings: Settings) -> Typed:
    array, value = with_value(name, args)
    return (array, value), t.ArrayType(element(array.type), True), array.nullable


@scalar("array_append", resolve=lambda args, at: _grown("array_append", args, at))
def array_append(at: At, array: pl.Expr, value: pl.Expr) -> pl.Expr:
    return pl.concat_list(array, listed(element(at.type), value))


@scalar("array_prepend", resolve=lambda args, at: _grown("array_prepend", args, at))
def array_prepend(at: At, array: pl.Expr, value: pl.Expr) -> pl.Expr:
    return pl.concat_list(listed(element(at.type), value), array)


def _inserted(args: Sequence[Expr], settings: Settings) -> Typed:
    wants("array_insert", args, 3)
    array, value = with_value("array_insert", (args[0], args[2]))
    place = coerced("array_insert", args[1:2], (INT,), None, None)[0]
    kind = t.ArrayType(element(array.type), True)
    return (array, place, value), kind, array.nullable or place.nullable


@scalar("array_insert", resolve=_inserted)
def array_insert(at: At, array: pl.Expr, place: pl.Expr, value: pl.Expr) -> pl.Expr:
    size = array.list.len().cast(pl.Int64)
    place = place.cast(pl.Int64)
    zero = (place == 0) & array.is_not_null()
    place = raise_where(zero, "INVALID_INDEX_OF_ZERO", "places are counted from 1, or -1", place)
    before = pl.when(place > 0).then(place - 1).otherwise((size + place + 1).clip(0))
    short = pl.when(place > 0).then((place - 1 - size).clip(0)).otherwise(0)
    early = pl.when(place < 0).then((-place - size - 1).clip(0)).otherwise(0)
    null = pl.lit(None, dtype=to_polars(element(at.type)))
    nulls = _nulls(null, short, at), _nulls(null, early, at)
    head, tail = array.list.slice(0, before), array.list.slice(before, None)
    made = pl.concat_list(head, nulls[0], listed(element(at.type), value), nulls[1], tail)
    return pl.when(place.is_not_null()).then(made)


def _nulls(null: pl.Expr, count: pl.Expr, at: At) -> pl.Expr:
    kind = to_polars(element(at.type))

    def run(counts: pl.Series) -> pl.Series:
        rows = [[None] * (n or 0) for n in counts.to_list()]
        return pl.Series(rows, dtype=pl.List(kind))

    return by_batch(run, at.type, count)


def _cut(args: Sequence[Expr], settings: Settings) -> Typed:
    args = coerced("slice", args, (ARRAY, INT, INT), None, None)
    args = (as_array("slice", args[0]), *args[1:])
    return args, args[0].type, any(arg.nullable for arg in args)


@scalar("slice", resolve=_cut)
def cut(at: At, array: pl.Expr, start: pl.Expr, length: pl.Expr) -> pl.Expr:
    there = array.is_not_null() & start.is_not_null() & length.is_not_null()
    code = "INVALID_PARAMETER_VALUE."
    size = array.list.len().cast(pl.Int64)
    start = raise_where(
        there & (start == 0), code + "START", "places are counted from 1, or -1", start
    ).cast(pl.Int64)
    length = raise_where(
        there & (length < 0), code + "LENGTH", "a length cannot be negative", length
    )
    begin = pl.when(start > 0).then(start - 1).otherwise(size + start)
    count = pl.when(begin < 0).then(0).otherwise(length).cast(pl.Int64)
    return pl.when(there).then(array.list.slice(begin.clip(0), count))


def _flat(args: Sequence[Expr], settings: Settings) -> Typed:
    wants("flatten", args, 1)
    outer = the_array("flatten", args[0])
    if not isinstance(outer.elementType, t.ArrayType):
        raise Mismatch(f"flatten is for arrays of arrays, not {outer.simpleString()}")
    return tuple(args), outer.elementType, args[0].nullable or outer.containsNull


@scalar("flatten", resolve=_flat)
def flatten(at: At, array: pl.Expr) -> pl.Expr:
    inner = array.list.eval(pl.element().explode())
    return pl.when(~has_null(array)).then(inner)


def _text_elements(args: Sequence[Expr], settings: Settings) -> Typed:
    args = coerced("array_join", args, (ARRAY, TEXT, TEXT), None, 2)
    if TEXT.to(element(args[0].type)) is None:
        raise Mismatch(f"array_join cannot write {args[0].type.simpleString()} as text")
    return (as_array("array_join", args[0]), *args[1:]), t.STRING, any(a.nullable for a in args)


@scalar("array_join", resolve=_text_elements)
def array_join(at: At, array: pl.Expr, between: pl.Expr, null: pl.Expr | None = None) -> pl.Expr:
    kind = element(at.types[0])
    words = array.list.eval(cast(pl.element(), kind, t.STRING, "ansi", at.settings))
    there = array.is_not_null() & between.is_not_null()
    if null is None:
        words = words.list.drop_nulls()
    else:
        words = each(lambda x, y: x.fill_null(y), [words], t.STRING, null)
        there = there & null.is_not_null()
    return pl.when(there).then(words.list.join(between, ignore_nulls=True))


# ---- several arrays ------------------------------------------------------------------------------


def _zipped(args: Sequence[Expr], settings: Settings) -> Typed:
    arrays = [as_array("arrays_zip", arg) for arg in args]
    fields = [
        t.StructField(_label(arg, place), element(arg.type), True)
        for place, arg in enumerate(arrays)
    ]
    null = any(arg.nullable for arg in arrays)
    return tuple(arrays), t.ArrayType(t.StructType(fields), False), null


def _label(arg: Expr, place: int) -> str:
    if isinstance(arg, Attr | Alias):
        return arg.name
    if isinstance(arg, Call) and arg.name == "get_item":
        key = value_of(arg.args[1])
        if isinstance(key, str) and not isinstance(arg.args[0].type, t.MapType):
            return key
    return str(place)


@scalar("arrays_zip", resolve=_zipped)
def arrays_zip(at: At, *arrays: pl.Expr) -> pl.Expr:
    kind = element(at.type)
    assert isinstance(kind, t.StructType)
    if not arrays:
        return pl.lit(pl.Series([[]], dtype=to_polars(at.type))).first()
    return each(
        lambda *each_: pl.struct(x.alias(name) for x, name in zip(each_, kind.names, strict=True)),
        arrays,
        kind,
    )
