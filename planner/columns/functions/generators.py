"""Functions that make rows: explode, posexplode, inline, stack. Each gives, for a row, the list of
structs that become rows; `planner/query/analysis/generators.py` puts it in a plan."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from planner.columns import types as t
from planner.columns.coercion import common, implied
from planner.columns.expressions import Expr
from planner.columns.functions.arrays import holds_null, listed, wants
from planner.columns.functions.elements import PLACE, VALUE, apart, by_batch, together
from planner.columns.functions.registry import At, Mismatch, Settings, Typed, generator, value_of


def rows_of(fields: Sequence[t.StructField]) -> t.ArrayType:
    """The type of a generator with these columns."""
    return t.ArrayType(t.StructType(list(fields)), False)


def _element_columns(name: str, kind: t.DataType) -> list[t.StructField]:
    if isinstance(kind, t.ArrayType):
        return [t.StructField("col", kind.elementType, kind.containsNull)]
    if isinstance(kind, t.MapType):
        return [
            t.StructField("key", kind.keyType, False),
            t.StructField("value", kind.valueType, kind.valueContainsNull),
        ]
    raise Mismatch(f"{name} is for arrays and maps, and was given {kind.simpleString()}")


def _exploded(args: Sequence[Expr], settings: Settings) -> Typed:
    wants("explode", args, 1)
    return tuple(args), rows_of(_element_columns("explode", args[0].type)), True


@generator("explode", resolve=_exploded)
@generator("explode_outer", resolve=_exploded, outer=True)
def explode(at: At, holder: pl.Expr) -> pl.Expr:
    if isinstance(at.types[0], t.MapType):
        return holder.map.entries()
    return holder.list.eval(pl.struct(pl.element().alias("col")))


def _placed(args: Sequence[Expr], settings: Settings) -> Typed:
    wants("posexplode", args, 1)
    columns = _element_columns("posexplode", args[0].type)
    return tuple(args), rows_of([t.StructField("pos", t.INT, False), *columns]), True


@generator("posexplode", resolve=_placed)
@generator("posexplode_outer", resolve=_placed, outer=True)
def posexplode(at: At, holder: pl.Expr) -> pl.Expr:
    """Places are counted from 0."""
    of_map = isinstance(at.types[0], t.MapType)

    def run(lists: pl.Series) -> pl.Series:
        flat = apart(lists)
        pos = flat[PLACE].cast(pl.Int32).alias("pos")
        value = flat[VALUE]
        parts = value.struct.unnest() if of_map else value.alias("col").to_frame()
        rows = pl.DataFrame([pos, *parts.get_columns()]).to_struct()
        return together(rows, lists.list.len(), lists.is_not_null())

    return by_batch(run, at.type, holder.map.entries() if of_map else holder)


def _inlined(args: Sequence[Expr], settings: Settings) -> Typed:
    wants("inline", args, 1)
    kind = args[0].type
    inner = kind.elementType if isinstance(kind, t.ArrayType) else None
    if not isinstance(inner, t.StructType):
        raise Mismatch(f"inline is for arrays of structs, and was given {kind.simpleString()}")
    null = holds_null(kind)
    fields = [t.StructField(f.name, f.dataType, f.nullable or null) for f in inner.fields]
    return tuple(args), rows_of(fields), True


@generator("inline", resolve=_inlined)
@generator("inline_outer", resolve=_inlined, outer=True)
def inline(at: At, array: pl.Expr) -> pl.Expr:
    return array


def _stacked(args: Sequence[Expr], settings: Settings) -> Typed:
    if len(args) < 2:
        raise Mismatch(
            f"stack takes at least 2 arguments, and was given {len(args)}",
            "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
        )
    count = value_of(args[0])
    if not isinstance(count, int) or isinstance(count, bool):
        raise Mismatch(
            "stack needs a constant number of rows", "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT"
        )
    if count < 1:
        raise Mismatch("stack makes at least one row", "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE")
    wide = -(-(len(args) - 1) // count)
    kinds, fields = [], []
    for place in range(wide):
        column = args[1 + place :: wide]
        one = common(arg.type for arg in column)
        if one is None:
            shown = ", ".join(arg.type.simpleString() for arg in column)
            raise Mismatch(
                f"column {place} of stack must be of one type, not {shown}",
                "DATATYPE_MISMATCH.STACK_COLUMN_DIFF_TYPES",
            )
        null = any(arg.nullable for arg in column) or len(column) < count
        kinds.append(one)
        fields.append(t.StructField(f"col{place}", one, null))
    values = [implied(arg, kinds[place % wide]) for place, arg in enumerate(args[1:])]
    return (args[0], *values), rows_of(fields), False


@generator("stack", resolve=_stacked)
def stack(at: At, count: pl.Expr, *values: pl.Expr) -> pl.Expr:
    kind = at.type.elementType  # type: ignore[attr-defined]
    wide, rows = len(kind.names), at.values[0]
    structs = []
    for row in range(rows):
        own = values[row * wide : (row + 1) * wide]
        filled = [*own, *[pl.lit(None)] * (wide - len(own))]
        structs.append(
            pl.struct([value.alias(name) for value, name in zip(filled, kind.names, strict=True)])
        )
    return listed(kind, *structs)
