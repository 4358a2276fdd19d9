"""Functions of arrays and maps that are given a function: transform, filter, aggregate, …"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from planner.columns import types as t
from planner.columns.coercion import implied
from planner.columns.columnar import to_polars
from planner.columns.expressions import Expr, Lambda
from planner.columns.functions.arrays import as_array, some_array, unpromoted, wants
from planner.columns.functions.elements import (
    PLACE,
    ROW,
    VALUE,
    aligned,
    apart,
    applied,
    body_of,
    by_batch,
    evaluated,
    params_of,
    regrouped,
)
from planner.columns.functions.maps import as_map, map_of
from planner.columns.functions.registry import At, Mismatch, Settings, Typed, scalar

Function = Callable[..., pl.Expr]


def the_function(name: str, args: Sequence[Expr], place: int, takes: Sequence[int]) -> Lambda:
    """The argument that must be a function of so many arguments."""
    arg = args[place]
    if not isinstance(arg, Lambda):
        raise Mismatch(f"argument {place + 1} of {name} must be a function")
    if len(arg.params) not in takes:
        raise Mismatch(
            f"the function given to {name} takes {len(arg.params)} arguments, and gets "
            f"{' or '.join(map(str, takes))}",
            "INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH",
        )
    return arg


def asks(name: str, function: Lambda) -> Lambda:
    """A function that must say true or false."""
    if function.type not in (t.BOOLEAN, t.NULL):
        raise Mismatch(
            f"the function given to {name} must give a boolean, and gives "
            f"{function.type.simpleString()}"
        )
    return Lambda(function.params, implied(function.body, t.BOOLEAN))


# ---- arrays --------------------------------------------------------------------------------------


def _transformed(args: Sequence[Expr], settings: Settings) -> Typed:
    wants("transform", args, 2)
    some_array("transform", args[0])
    array, function = as_array("transform", args[0]), the_function("transform", args, 1, (1, 2))
    return (array, function), t.ArrayType(function.type, function.nullable), array.nullable


@scalar("transform", resolve=_transformed)
def transform(at: At, array: pl.Expr, function: Function) -> pl.Expr:
    return applied(at, 1, function, array)


def _filtered(args: Sequence[Expr], settings: Settings) -> Typed:
    wants("filter", args, 2)
    array = as_array("filter", args[0])
    function = asks("filter", the_function("filter", args, 1, (1, 2)))
    return (array, function), array.type, array.nullable


@scalar("filter", resolve=_filtered)
def kept(at: At, array: pl.Expr, function: Function) -> pl.Expr:
    names = params_of(at, 1)
    expr, outer = body_of(function, names)

    def run(lists: pl.Series, *columns: pl.Series) -> pl.Series:
        flat = apart(lists, names[0])
        places = [pl.col(PLACE).cast(pl.Int32).alias(name) for name in names[1:]]
        keep = evaluated(flat.with_columns(places), expr, columns, outer)
        found = flat.filter(keep.fill_null(False)).rename({names[0]: VALUE})
        return regrouped(found, len(lists), lists.is_not_null())

    return by_batch(run, at.type, array, *map(pl.col, outer))


def _asked(name: str, args: Sequence[Expr]) -> Typed:
    wants(name, args, 2)
    array = as_array(name, args[0])
    function = asks(name, the_function(name, args, 1, (1,)))
    return (array, function), t.BOOLEAN, array.nullable or function.nullable


@scalar("exists", resolve=lambda args, at: _asked("exists", args))
def exists(at: At, array: pl.Expr, function: Function) -> pl.Expr:
    """NULL where none is true and one is NULL."""
    found = applied(at, 1, function, array)
    unknown = found.list.agg(pl.element().is_null().any())
    answer = pl.when(found.list.any()).then(pl.lit(True)).when(~unknown).then(pl.lit(False))
    return pl.when(found.is_not_null()).then(answer)


@scalar("forall", resolve=lambda args, at: _asked("forall", args))
def forall(at: At, array: pl.Expr, function: Function) -> pl.Expr:
    """NULL where none is false and one is NULL."""
    found = applied(at, 1, function, array)
    unknown = found.list.agg(pl.element().is_null().any())
    false = found.list.agg((~pl.element()).any())
    answer = pl.when(false).then(pl.lit(False)).when(~unknown).then(pl.lit(True))
    return pl.when(found.is_not_null()).then(answer)


def _zipped(args: Sequence[Expr], settings: Settings) -> Typed:
    wants("zip_with", args, 3)
    a, b = as_array("zip_with", args[0]), as_array("zip_with", args[1])
    function = the_function("zip_with", args, 2, (2,))
    kind = t.ArrayType(function.type, function.nullable)
    return (a, b, function), kind, a.nullable or b.nullable


@scalar("zip_with", resolve=_zipped)
def zip_with(at: At, a: pl.Expr, b: pl.Expr, function: Function) -> pl.Expr:
    return applied(at, 2, function, a, b)


def _folded(args: Sequence[Expr], settings: Settings) -> Typed:
    wants("aggregate", args, 3, 4)
    array, zero = as_array("aggregate", args[0]), args[1]
    merge = the_function("aggregate", args, 2, (2,))
    if to_polars(merge.type) != to_polars(zero.type):
        raise Mismatch(
            f"aggregate begins with {zero.type.simpleString()}, and its function gives "
            f"{merge.type.simpleString()}; cast one to the other"
        )
    if len(args) == 3:
        return (array, zero, merge), merge.type, True
    finish = the_function("aggregate", args, 3, (1,))
    return (array, zero, merge, finish), finish.type, True


@scalar("aggregate", "reduce", resolve=_folded)
def fold(
    at: At, array: pl.Expr, zero: pl.Expr, merge: Function, finish: Function | None = None
) -> pl.Expr:
    """Step k is done for all rows that have an element k, at once."""
    names = params_of(at, 2)
    step, outer = body_of(merge, names)

    def run(lists: pl.Series, state: pl.Series, *columns: pl.Series) -> pl.Series:
        flat = apart(lists, names[1])
        steps = flat.partition_by(PLACE, maintain_order=True)
        for part in steps:
            rows = part[ROW]
            frame = part.with_columns(state.gather(rows).alias(names[0]))
            new = evaluated(frame, step, columns, outer).cast(state.dtype)
            state = state.clone().scatter(rows, new) if plain else _replaced(state, rows, new)
        frame = pl.DataFrame({"s": state, "there": lists.is_not_null()})
        return frame.select(pl.when("there").then("s")).to_series()

    plain = isinstance(at.types[1], t.NumericType) and not isinstance(at.types[1], t.DecimalType)
    folded = by_batch(run, at.types[1], array, zero, *map(pl.col, outer))
    if finish is None:
        return folded
    return pl.when(array.is_not_null()).then(_finished(at, folded, finish))


def _replaced(state: pl.Series, rows: pl.Series, new: pl.Series) -> pl.Series:
    """`state` with the values of `new` in some rows, whatever their type."""
    places = pl.DataFrame({"at": pl.int_range(len(state), eager=True)})
    found = places.join(
        pl.DataFrame({"at": rows, "new": pl.int_range(len(rows), eager=True)}),
        on="at",
        how="left",
        maintain_order="left",
    )
    where = found.select(pl.coalesce(pl.col("new") + len(state), "at")).to_series()
    return pl.concat([state.alias("x"), new.alias("x")]).gather(where)


def _finished(at: At, folded: pl.Expr, finish: Function) -> pl.Expr:
    names = params_of(at, 3)
    expr, outer = body_of(finish, names)

    def run(states: pl.Series, *columns: pl.Series) -> pl.Series:
        frame = pl.DataFrame({names[0]: states, ROW: pl.int_range(len(states), eager=True)})
        return evaluated(frame, expr, columns, outer)

    return by_batch(run, at.args[3].type, folded, *map(pl.col, outer))


# ---- maps ----------------------------------------------------------------------------------------


def _map_and_function(name: str, args: Sequence[Expr]) -> tuple[Expr, Lambda, t.MapType]:
    wants(name, args, 2)
    held = as_map(name, args[0])
    assert isinstance(held.type, t.MapType)
    return held, the_function(name, args, 1, (2,)), held.type


def _of_map(at: At, function: Function, held: pl.Expr) -> pl.Expr:
    """What the function gives of each entry, as lists."""
    return applied(at, 1, function, held.map.keys(), held.map.values())


def _map_filtered(args: Sequence[Expr], settings: Settings) -> Typed:
    held, function, kind = _map_and_function("map_filter", args)
    return (held, asks("map_filter", function)), kind, held.nullable


@scalar("map_filter", resolve=_map_filtered)
def map_filter(at: At, held: pl.Expr, function: Function) -> pl.Expr:
    def run(maps: pl.Series, says: pl.Series) -> pl.Series:
        flat = apart(maps.to_frame("m").select(pl.col("m").map.entries()).to_series())
        keep = says.explode(empty_as_null=False, keep_nulls=False).fill_null(False)
        found = regrouped(flat.filter(keep), len(maps), maps.is_not_null())
        return found.to_frame("m").select(pl.col("m").list.to_map()).to_series()

    return by_batch(run, at.type, held, _of_map(at, function, held))


def _values_changed(args: Sequence[Expr], settings: Settings) -> Typed:
    held, function, kind = _map_and_function("transform_values", args)
    return (
        (held, function),
        t.MapType(kind.keyType, function.type, function.nullable),
        (held.nullable),
    )


@scalar("transform_values", resolve=_values_changed)
def transform_values(at: At, held: pl.Expr, function: Function) -> pl.Expr:
    return map_of(at, held.map.keys(), _of_map(at, function, held), sure=True)


def _keys_changed(args: Sequence[Expr], settings: Settings) -> Typed:
    held, function, kind = _map_and_function("transform_keys", args)
    new = t.MapType(function.type, kind.valueType, kind.valueContainsNull)
    return (held, function), new, held.nullable


@scalar("transform_keys", resolve=_keys_changed)
def transform_keys(at: At, held: pl.Expr, function: Function) -> pl.Expr:
    return map_of(at, _of_map(at, function, held), held.map.values())


def _maps_zipped(args: Sequence[Expr], settings: Settings) -> Typed:
    wants("map_zip_with", args, 3)
    a, b = as_map("map_zip_with", args[0]), as_map("map_zip_with", args[1])
    assert isinstance(a.type, t.MapType) and isinstance(b.type, t.MapType)
    key = unpromoted(a.type.keyType, b.type.keyType)
    if key is None:
        raise Mismatch(
            "map_zip_with is for maps with keys of one type",
            "DATATYPE_MISMATCH.MAP_ZIP_WITH_DIFF_TYPES",
        )
    function = the_function("map_zip_with", args, 2, (3,))
    held = tuple(
        implied(m, t.MapType(key, m.type.valueType, m.type.valueContainsNull))  # type: ignore[attr-defined]
        for m in (a, b)
    )
    kind = t.MapType(key, function.type, function.nullable)
    return (*held, function), kind, a.nullable or b.nullable


@scalar("map_zip_with", resolve=_maps_zipped)
def map_zip_with(at: At, a: pl.Expr, b: pl.Expr, function: Function) -> pl.Expr:
    """The keys of both: those of the first, then the others of the second."""
    names = params_of(at, 2)
    expr, outer = body_of(function, names)

    def run(*columns: pl.Series) -> pl.Series:
        held, beside = columns[:2], columns[2:]
        sides = [_entries(m, name) for m, name in zip(held, names[1:], strict=True)]
        both = pl.concat([side.select(ROW, "key") for side in sides])
        frame = both.unique([ROW, "key"], keep="first", maintain_order=True)
        frame = frame.sort(ROW, maintain_order=True)
        for side in sides:
            frame = frame.join(
                side, on=[ROW, "key"], how="left", maintain_order="left", nulls_equal=True
            )
        there = held[0].is_not_null() & held[1].is_not_null()
        frame = frame.filter(there.gather(frame[ROW])).rename({"key": names[0]})
        values = evaluated(frame, expr, beside, outer)
        entries = pl.DataFrame({"key": frame[names[0]], "value": values}).to_struct()
        flat = pl.DataFrame({ROW: frame[ROW], VALUE: entries})
        found = regrouped(flat, len(there), there)
        return found.to_frame("m").select(pl.col("m").list.to_map()).to_series()

    return by_batch(run, at.type, a, b, *map(pl.col, outer))


def _entries(maps: pl.Series, value: str) -> pl.DataFrame:
    """The entries of maps: row, key and value."""
    frame = maps.to_frame("m").select(k=pl.col("m").map.keys(), v=pl.col("m").map.values())
    flat, _, _ = aligned([frame["k"], frame["v"]], ["key", value])
    return flat.select(ROW, "key", value)
