"""Structs, and parts of structs, arrays and maps: x.field, x[0], x['key']."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from planner.columns import types as t
from planner.columns.coercion import implied, widest
from planner.columns.expressions import Alias, Attr, Call, Expr
from planner.columns.functions.arrays import in_array, wants
from planner.columns.functions.registry import At, Mismatch, Settings, Typed, scalar, value_of


def field_named(kind: t.StructType, name: str, sensitive: bool) -> t.StructField:
    """The field of a struct. Raises Mismatch if there is none, or more than one."""
    found = [
        field
        for field in kind.fields
        if field.name == name or (not sensitive and field.name.lower() == name.lower())
    ]
    if not found:
        raise Mismatch(
            f"there is no field {name}; there are {', '.join(kind.names)}", "FIELD_NOT_FOUND"
        )
    if len(found) > 1:
        raise Mismatch(
            f"the field {name} is ambiguous in {kind.simpleString()}",
            "AMBIGUOUS_REFERENCE_TO_FIELDS",
        )
    return found[0]


# ---- parts ---------------------------------------------------------------------------------------


def _part(args: Sequence[Expr], settings: Settings) -> Typed:
    wants("get_item", args, 2)
    holder, key = args
    kind, name = holder.type, value_of(key)
    if isinstance(kind, t.StructType):
        field = field_named(kind, _word(kind, key), settings.case_sensitive)
        return (holder, key), field.dataType, holder.nullable or field.nullable
    if isinstance(kind, t.ArrayType):
        inner = kind.elementType
        if isinstance(inner, t.StructType) and isinstance(name, str):
            field = field_named(inner, name, settings.case_sensitive)
            found = t.ArrayType(field.dataType, kind.containsNull or field.nullable)
            return (holder, key), found, holder.nullable
        if not isinstance(key.type, t.IntegralType | t.NullType):
            raise Mismatch(f"a place in an array is an int, not {key.type.simpleString()}")
        return (holder, implied(key, t.LONG)), inner, True
    if isinstance(kind, t.MapType):
        one = widest(kind.keyType, key.type)
        if one is None:
            raise Mismatch(f"the keys of {kind.simpleString()} cannot be {key.type.simpleString()}")
        return (holder, implied(key, kind.keyType)), kind.valueType, True
    raise Mismatch(
        f"{kind.simpleString()} has no parts: only structs, arrays and maps have",
        "INVALID_EXTRACT_BASE_FIELD_TYPE",
    )


def _word(kind: t.StructType, key: Expr) -> str:
    name = value_of(key)
    if not isinstance(name, str):
        raise Mismatch(
            f"a field of {kind.simpleString()} is asked for by its name",
            "INVALID_EXTRACT_FIELD_TYPE",
        )
    return name


@scalar("get_item", resolve=_part)
def get_item(at: At, holder: pl.Expr, key: pl.Expr) -> pl.Expr:
    kind, name = at.types[0], at.values[1]
    sensitive = at.settings.case_sensitive
    if isinstance(kind, t.StructType):
        return holder.struct.field(field_named(kind, name, sensitive).name)
    if isinstance(kind, t.ArrayType):
        inner = kind.elementType
        if isinstance(inner, t.StructType) and isinstance(name, str):
            exact = field_named(inner, name, sensitive).name
            return holder.list.eval(pl.element().struct.field(exact))
        return in_array(holder, key, at, "INVALID_ARRAY_INDEX", "use get for NULL", 0)
    return holder.map.get(key)


# ---- making --------------------------------------------------------------------------------------


def name_in_struct(expr: Expr, place: int) -> str:
    """The name of a field that is made of an expression."""
    if isinstance(expr, Alias | Attr):
        return expr.name
    if isinstance(expr, Call) and expr.name == "get_item":
        key = value_of(expr.args[1])
        if isinstance(key, str) and not isinstance(expr.args[0].type, t.MapType):
            return key
    return f"col{place + 1}"


def _unnamed(args: Sequence[Expr], settings: Settings) -> Typed:
    if not args:
        raise Mismatch(
            "struct takes at least 1 argument, and was given 0", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION"
        )
    fields = [
        t.StructField(name_in_struct(arg, place), arg.type, arg.nullable)
        for place, arg in enumerate(args)
    ]
    return tuple(args), _struct(fields), False


def _struct(fields: Sequence[t.StructField]) -> t.StructType:
    if len({field.name for field in fields}) < len(fields):
        raise NotImplementedError(
            "a struct with two fields of one name is not there: give them names with alias, or use "
            "named_struct"
        )
    return t.StructType(list(fields))


@scalar("struct", resolve=_unnamed)
def struct(at: At, *values: pl.Expr) -> pl.Expr:
    return _together(at.type, values)


def _together(kind: t.DataType, values: Sequence[pl.Expr]) -> pl.Expr:
    assert isinstance(kind, t.StructType)
    return pl.struct([value.alias(name) for value, name in zip(values, kind.names, strict=True)])


def _named(args: Sequence[Expr], settings: Settings) -> Typed:
    if not args or len(args) % 2:
        raise Mismatch(
            "named_struct takes names and values in turn", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION"
        )
    fields = []
    for name, value in zip(args[::2], args[1::2], strict=True):
        word = value_of(name)
        if not isinstance(word, str):
            raise Mismatch(
                "the names given to named_struct must be constant text",
                "DATATYPE_MISMATCH.CREATE_NAMED_STRUCT_WITHOUT_FOLDABLE_STRING",
            )
        fields.append(t.StructField(word, value.type, value.nullable))
    return tuple(args), _struct(fields), False


@scalar("named_struct", resolve=_named)
def named_struct(at: At, *args: pl.Expr) -> pl.Expr:
    return _together(at.type, args[1::2])


# ---- other fields --------------------------------------------------------------------------------


def _the_struct(name: str, arg: Expr) -> t.StructType:
    if not isinstance(arg.type, t.StructType):
        raise Mismatch(f"{name} is for structs, and was given {arg.type.simpleString()}")
    return arg.type


def parts_of(name: str) -> list[str]:
    """A name with dots, taken apart; `a.b` in back quotes is one part."""
    parts, quoted = [""], False
    for letter in name:
        if letter == "`":
            quoted = not quoted
        elif letter == "." and not quoted:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _same(a: str, b: str, settings: Settings) -> bool:
    return a == b or (not settings.case_sensitive and a.lower() == b.lower())


def _with_field(args: Sequence[Expr], settings: Settings) -> Typed:
    wants("with_field", args, 3)
    kind, path = _the_struct("with_field", args[0]), parts_of(str(value_of(args[1])))
    new = _typed_with(kind, path, args[2], settings)
    return tuple(args), new, args[0].nullable


def _typed_with(
    kind: t.StructType, path: Sequence[str], value: Expr, settings: Settings
) -> t.StructType:
    if len(path) == 1:
        made = t.StructField(path[0], value.type, value.nullable)
        at = [each for each in kind.fields if _same(each.name, path[0], settings)]
        if not at:
            return t.StructType([*kind.fields, made])
        return t.StructType([made if each in at else each for each in kind.fields])
    inner = field_named(kind, path[0], settings.case_sensitive)
    if not isinstance(inner.dataType, t.StructType):
        raise Mismatch(f"the field {path[0]} is not a struct")
    deeper = _typed_with(inner.dataType, path[1:], value, settings)
    made = t.StructField(inner.name, deeper, inner.nullable)
    return t.StructType([made if each is inner else each for each in kind.fields])


@scalar("with_field", resolve=_with_field)
def with_field(at: At, whole: pl.Expr, name: pl.Expr, value: pl.Expr) -> pl.Expr:
    kind = at.types[0]
    assert isinstance(kind, t.StructType)
    return _built_with(kind, whole, parts_of(at.values[1]), value, at.settings)


def _built_with(
    kind: t.StructType, whole: pl.Expr, path: Sequence[str], value: pl.Expr, settings: Settings
) -> pl.Expr:
    fields: list[pl.Expr] = []
    found = False
    for field in kind.fields:
        old = whole.struct.field(field.name)
        if not _same(field.name, path[0], settings):
            fields.append(old)
            continue
        found = True
        if len(path) == 1:
            fields.append(value.alias(path[0]))
        else:
            assert isinstance(field.dataType, t.StructType)
            inner = _built_with(field.dataType, old, path[1:], value, settings)
            fields.append(inner.alias(field.name))
    if not found:
        fields.append(value.alias(path[0]))
    return pl.when(whole.is_not_null()).then(pl.struct(fields))


def _fewer_fields(args: Sequence[Expr], settings: Settings) -> Typed:
    wants("drop_fields", args, 2, 1 << 20)
    kind: Any = _the_struct("drop_fields", args[0])
    for name in args[1:]:
        kind = _typed_without(kind, parts_of(str(value_of(name))), settings)
    return tuple(args), kind, args[0].nullable


def _typed_without(kind: t.StructType, path: Sequence[str], settings: Settings) -> t.StructType:
    fields = []
    for field in kind.fields:
        if not _same(field.name, path[0], settings):
            fields.append(field)
        elif len(path) > 1 and isinstance(field.dataType, t.StructType):
            inner = _typed_without(field.dataType, path[1:], settings)
            fields.append(t.StructField(field.name, inner, field.nullable))
    if not fields:
        raise Mismatch(
            "a struct cannot lose all its fields", "DATATYPE_MISMATCH.CANNOT_DROP_ALL_FIELDS"
        )
    return t.StructType(fields)


@scalar("drop_fields", resolve=_fewer_fields)
def drop_fields(at: At, whole: pl.Expr, *names: pl.Expr) -> pl.Expr:
    kind = at.type
    assert isinstance(kind, t.StructType)
    return _only(kind, whole)


def _only(kind: t.StructType, whole: pl.Expr) -> pl.Expr:
    """The fields of a struct that a type has."""
    fields = [
        _only(field.dataType, whole.struct.field(field.name)).alias(field.name)
        if isinstance(field.dataType, t.StructType)
        else whole.struct.field(field.name)
        for field in kind.fields
    ]
    return pl.when(whole.is_not_null()).then(pl.struct(fields))
