"""The types of columns, as PySpark names them.

A type is a value: equal types are equal, and can be keys. What a type is in Arrow and in Polars is
said in planner/columns/columnar.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, ClassVar

from planner.columns import ddl


class DataType:
    """Base of all types."""

    name: ClassVar[str] = "data"

    @classmethod
    def typeName(cls) -> str:
        """The word for the kind of type: 'integer', 'array', …"""
        return cls.name

    def simpleString(self) -> str:
        """The type as SQL writes it: 'int', 'decimal(10,2)', 'array<string>'."""
        return self.name

    def jsonValue(self) -> Any:
        """The type as JSON holds it."""
        return self.name

    def json(self) -> str:
        """The type as JSON text."""
        return json.dumps(self.jsonValue(), separators=(",", ":"), sort_keys=True)

    @staticmethod
    def fromDDL(ddl: str) -> DataType:
        """The type that SQL text names: one type, or the fields of a struct.

        >>> DataType.fromDDL("a int, b string").simpleString()
        'struct<a:int,b:string>'
        """
        return parsed(ddl)

    def _parts(self) -> tuple[Any, ...]:
        return ()

    def _below(self) -> list[tuple[str, DataType, str]]:
        """What a tree shows below: a name, the type, and what is said of it."""
        return []

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash((type(self).__name__, self._parts()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self._parts()))})"


class NullType(DataType):
    """The type of NULL alone."""

    name = "void"


class AtomicType(DataType):
    """A type that is not made of others."""


class NumericType(AtomicType):
    """Numbers."""


class IntegralType(NumericType):
    """Whole numbers of fixed width; `bits` says how wide."""

    bits: ClassVar[int] = 0


class FractionalType(NumericType):
    """Numbers with a fraction."""


class StringType(AtomicType):
    """Text, in UTF-8."""

    name = "string"


class BinaryType(AtomicType):
    """Bytes."""

    name = "binary"


class BooleanType(AtomicType):
    """True and false."""

    name = "boolean"


class ByteType(IntegralType):
    """Whole numbers of 8 bits."""

    name, bits = "byte", 8

    def simpleString(self) -> str:
        return "tinyint"


class ShortType(IntegralType):
    """Whole numbers of 16 bits."""

    name, bits = "short", 16

    def simpleString(self) -> str:
        return "smallint"


class IntegerType(IntegralType):
    """Whole numbers of 32 bits."""

    name, bits = "integer", 32

    def simpleString(self) -> str:
        return "int"


class LongType(IntegralType):
    """Whole numbers of 64 bits."""

    name, bits = "long", 64

    def simpleString(self) -> str:
        return "bigint"


class FloatType(FractionalType):
    """Binary fractions of 32 bits."""

    name = "float"


class DoubleType(FractionalType):
    """Binary fractions of 64 bits."""

    name = "double"


class DecimalType(FractionalType):
    """Decimal fractions: `precision` digits (up to 38), `scale` of them after the point."""

    name = "decimal"
    MAX: ClassVar[int] = 38

    def __init__(self, precision: int = 10, scale: int = 0) -> None:
        if not 0 <= scale <= precision <= self.MAX:
            raise ValueError(
                f"decimal({precision},{scale}): precision goes to {self.MAX}, scale to precision"
            )
        self.precision = precision
        self.scale = scale

    def _parts(self) -> tuple[Any, ...]:
        return (self.precision, self.scale)

    def __repr__(self) -> str:
        return f"DecimalType({self.precision},{self.scale})"

    def simpleString(self) -> str:
        return f"decimal({self.precision},{self.scale})"

    def jsonValue(self) -> str:
        return self.simpleString()


class DateType(AtomicType):
    """Days of the proleptic Gregorian calendar."""

    name = "date"


class TimestampType(AtomicType):
    """Instants, in microseconds; shown in the session's time zone."""

    name = "timestamp"


class TimestampNTZType(AtomicType):
    """Date and time of day without a zone, in microseconds."""

    name = "timestamp_ntz"


class DayTimeIntervalType(AtomicType):
    """Lengths of time in microseconds."""

    name = "daytimeinterval"
    FIELDS: ClassVar[tuple[str, ...]] = ("day", "hour", "minute", "second")
    DAY, HOUR, MINUTE, SECOND = range(4)

    def __init__(self, startField: int | None = None, endField: int | None = None) -> None:
        self.startField = 0 if startField is None else startField
        given = startField is not None and endField is None
        self.endField = self.startField if given else (3 if endField is None else endField)

    def _parts(self) -> tuple[Any, ...]:
        return (self.startField, self.endField)

    def simpleString(self) -> str:
        start, end = self.FIELDS[self.startField], self.FIELDS[self.endField]
        return f"interval {start}" if start == end else f"interval {start} to {end}"

    def jsonValue(self) -> str:
        return self.simpleString()


class YearMonthIntervalType(AtomicType):
    """Lengths of time in months."""

    name = "yearmonthinterval"
    FIELDS: ClassVar[tuple[str, ...]] = ("year", "month")
    YEAR, MONTH = range(2)

    def __init__(self, startField: int | None = None, endField: int | None = None) -> None:
        self.startField = 0 if startField is None else startField
        given = startField is not None and endField is None
        self.endField = self.startField if given else (1 if endField is None else endField)

    def _parts(self) -> tuple[Any, ...]:
        return (self.startField, self.endField)

    def simpleString(self) -> str:
        start, end = self.FIELDS[self.startField], self.FIELDS[self.endField]
        return f"interval {start}" if start == end else f"interval {start} to {end}"

    def jsonValue(self) -> str:
        return self.simpleString()


class ArrayType(DataType):
    """Lists of elements of one type; `containsNull` says whether one may be null."""

    name = "array"

    def __init__(self, elementType: DataType, containsNull: bool = True) -> None:
        self.elementType = elementType
        self.containsNull = containsNull

    def _below(self) -> list[tuple[str, DataType, str]]:
        return [("element", self.elementType, _null("containsNull", self.containsNull))]

    def _parts(self) -> tuple[Any, ...]:
        return (self.elementType, self.containsNull)

    def toNullable(self) -> ArrayType:
        """The list whose parts, at any depth, may be null."""
        found = nullable(self)
        assert isinstance(found, ArrayType)
        return found

    def simpleString(self) -> str:
        return f"array<{self.elementType.simpleString()}>"

    def jsonValue(self) -> dict[str, Any]:
        return {
            "type": self.name,
            "elementType": self.elementType.jsonValue(),
            "containsNull": self.containsNull,
        }


class MapType(DataType):
    """Keys of one type, each with a value of another."""

    name = "map"

    def __init__(
        self, keyType: DataType, valueType: DataType, valueContainsNull: bool = True
    ) -> None:
        self.keyType = keyType
        self.valueType = valueType
        self.valueContainsNull = valueContainsNull

    def _below(self) -> list[tuple[str, DataType, str]]:
        null = _null("valueContainsNull", self.valueContainsNull)
        return [("key", self.keyType, ""), ("value", self.valueType, null)]

    def _parts(self) -> tuple[Any, ...]:
        return (self.keyType, self.valueType, self.valueContainsNull)

    def toNullable(self) -> MapType:
        """The map whose parts, at any depth, may be null; its keys never are."""
        found = nullable(self)
        assert isinstance(found, MapType)
        return found

    def simpleString(self) -> str:
        return f"map<{self.keyType.simpleString()},{self.valueType.simpleString()}>"

    def jsonValue(self) -> dict[str, Any]:
        return {
            "type": self.name,
            "keyType": self.keyType.jsonValue(),
            "valueType": self.valueType.jsonValue(),
            "valueContainsNull": self.valueContainsNull,
        }


class StructField(DataType):
    """One field of a struct: its name, its type, and whether it may be null."""

    name = ""

    def __init__(
        self,
        name: str,
        dataType: DataType,
        nullable: bool = True,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self.name = name  # type: ignore[misc]
        self.dataType = dataType
        self.nullable = nullable
        self.metadata = metadata or {}

    def _parts(self) -> tuple[Any, ...]:
        return (self.name, self.dataType, self.nullable)

    @classmethod
    def fromJson(cls, json: dict[str, Any]) -> StructField:
        """The field that `jsonValue` described."""
        kind = from_json(json["type"])
        return cls(json["name"], kind, json.get("nullable", True), json.get("metadata"))

    def simpleString(self) -> str:
        return f"{self.name}:{self.dataType.simpleString()}"

    def jsonValue(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "type": self.dataType.jsonValue(),
            "nullable": self.nullable,
            "metadata": self.metadata,
        }


class StructType(DataType):
    """Named fields, in order: the type of a row.

    >>> StructType().add("n", LongType()).add("word", "string").simpleString()
    'struct<n:bigint,word:string>'
    """

    name = "struct"

    def __init__(self, fields: list[StructField] | None = None) -> None:
        self.fields = list(fields or [])
        self.names = [field.name for field in self.fields]

    def add(
        self,
        field: str | StructField,
        data_type: str | DataType | None = None,
        nullable: bool = True,
        metadata: dict[str, Any] | None = None,
    ) -> StructType:
        """Append a field; gives the struct itself."""
        if not isinstance(field, StructField):
            if data_type is None:
                raise ValueError(f"the field {field!r} needs a type")
            found = parsed_type(data_type) if isinstance(data_type, str) else data_type
            field = StructField(field, found, nullable, metadata)
        self.fields.append(field)
        self.names.append(field.name)
        return self

    def fieldNames(self) -> list[str]:
        """The names, in order."""
        return list(self.names)

    def _below(self) -> list[tuple[str, DataType, str]]:
        return [(f.name, f.dataType, _null("nullable", f.nullable)) for f in self.fields]

    def treeString(self, maxDepth: int | None = None) -> str:
        """The struct as a tree, `maxDepth` levels deep; all of it if None or not above 0.

        >>> print(StructType().add("n", "int").treeString(), end="")
        root
         |-- n: integer (nullable = true)
        """
        deep = maxDepth if maxDepth is not None and maxDepth > 0 else 1 << 31
        return "".join(f"{line}\n" for line in ["root", *_tree(self, " |", deep)])

    def _parts(self) -> tuple[Any, ...]:
        return tuple(self.fields)

    def __repr__(self) -> str:
        return f"StructType([{', '.join(map(repr, self.fields))}])"

    def __iter__(self) -> Iterator[StructField]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def __getitem__(self, key: str | int | slice) -> Any:
        if isinstance(key, str):
            for field in self.fields:
                if field.name == key:
                    return field
            raise KeyError(f"no field {key!r} in {', '.join(self.names)}")
        if isinstance(key, slice):
            return StructType(self.fields[key])
        return self.fields[key]

    @classmethod
    def fromJson(cls, json: dict[str, Any]) -> StructType:
        """The struct that `jsonValue` described.

        >>> StructType.fromJson(StructType().add("n", "int").jsonValue()).simpleString()
        'struct<n:int>'
        """
        found = from_json(json)
        if not isinstance(found, StructType):
            raise ValueError(f"{json!r} is no struct")
        return found

    def toNullable(self) -> StructType:
        """The struct whose fields, at any depth, may be null."""
        found = nullable(self)
        assert isinstance(found, StructType)
        return found

    def simpleString(self) -> str:
        return f"struct<{','.join(field.simpleString() for field in self.fields)}>"

    def jsonValue(self) -> dict[str, Any]:
        return {"type": self.name, "fields": [field.jsonValue() for field in self.fields]}


def _null(word: str, value: bool) -> str:
    return f" ({word} = {str(value).lower()})"


def _tree(kind: DataType, before: str, deep: int) -> Iterator[str]:
    """The lines of what a type is made of."""
    for name, inner, note in kind._below() if deep > 0 else ():
        exact = isinstance(inner, DecimalType | DayTimeIntervalType | YearMonthIntervalType)
        yield f"{before}-- {name}: {inner.simpleString() if exact else inner.typeName()}{note}"
        yield from _tree(inner, f"{before}    |", deep - 1)


SIMPLE: dict[str, type[DataType]] = {  # words that name a type without more
    "void": NullType,
    "null": NullType,
    "string": StringType,
    "binary": BinaryType,
    "boolean": BooleanType,
    "byte": ByteType,
    "tinyint": ByteType,
    "short": ShortType,
    "smallint": ShortType,
    "int": IntegerType,
    "integer": IntegerType,
    "long": LongType,
    "bigint": LongType,
    "float": FloatType,
    "real": FloatType,
    "double": DoubleType,
    "decimal": DecimalType,
    "date": DateType,
    "timestamp": TimestampType,
    "timestamp_ltz": TimestampType,
    "timestamp_ntz": TimestampNTZType,
}

NULL, STRING, BINARY, BOOLEAN = NullType(), StringType(), BinaryType(), BooleanType()
BYTE, SHORT, INT, LONG = ByteType(), ShortType(), IntegerType(), LongType()
FLOAT, DOUBLE, DATE = FloatType(), DoubleType(), DateType()
TIMESTAMP, TIMESTAMP_NTZ = TimestampType(), TimestampNTZType()


# ---- types out of text and JSON ------------------------------------------------------------------


def parsed(text: str) -> DataType:
    """The type that SQL text names: one type, or else the fields of a struct.

    Raises ddl.BadType.

    >>> parsed("a int, b array<string>").simpleString(), parsed("int").simpleString()
    ('struct<a:int,b:array<string>>', 'int')
    """
    try:
        return _struct(ddl.read_fields(text))
    except ddl.BadType as error:
        try:
            return parsed_type(text)
        except ddl.BadType as other:
            known = [each for each in (error, other) if each.of_name]
            raise max(known or (error, other), key=lambda each: each.place) from None


def parsed_type(text: str) -> DataType:
    """The one type that SQL text names. Raises ddl.BadType."""
    return _of_word(ddl.read_type(text))


def _struct(fields: tuple[ddl.Named, ...]) -> StructType:
    return StructType(
        [
            StructField(
                field.name,
                _of_word(field.kind),
                field.nullable,
                None if field.comment is None else {"comment": field.comment},
            )
            for field in fields
        ]
    )


def _of_word(word: ddl.Word) -> DataType:
    inner = [_of_word(each) for each in word.inner] if word.name != "interval" else []
    match word.name, len(inner), len(word.numbers):
        case "struct", 0, 0 if not word.bare:
            return _struct(word.fields)
        case "array", 1, 0:
            return ArrayType(inner[0])
        case "map", 2, 0:
            return MapType(inner[0], inner[1])
        case "decimal" | "dec" | "numeric", 0, 0 | 1 | 2 as given:
            digits = word.numbers[0] if given else 10
            scale = word.numbers[1] if given == 2 else 0
            if not 0 <= scale <= digits <= DecimalType.MAX:
                raise ddl.BadType(f"there is no type decimal({digits},{scale})", word.place, True)
            return DecimalType(digits, scale)
        case "varchar" | "char" | "character", 0, 1:
            return StringType()
        case "interval", _, _:
            return _interval(word)
        case name, 0, 0 if word.bare and name in SIMPLE:
            return SIMPLE[name]()
    raise ddl.BadType(f"there is no type {word.name}", word.place, True)


def _interval(word: ddl.Word) -> DataType:
    start, end = (each.name.rstrip("s") for each in word.inner)
    for kind in (DayTimeIntervalType, YearMonthIntervalType):
        if start in kind.FIELDS and end in kind.FIELDS:
            first, last = kind.FIELDS.index(start), kind.FIELDS.index(end)
            if first <= last:
                return kind(first, last)
    raise ddl.BadType(f"there is no type interval {start} to {end}", word.place, True)


def from_json(value: Any) -> DataType:
    """The type that `jsonValue` described. Raises ValueError.

    >>> from_json({"type": "array", "elementType": "integer", "containsNull": True})
    ArrayType(IntegerType(), True)
    """
    if isinstance(value, str):
        return parsed_type(value)
    kind = value.get("type") if isinstance(value, dict) else None
    if kind == "struct":
        return StructType([StructField.fromJson(field) for field in value["fields"]])
    if kind == "array":
        return ArrayType(from_json(value["elementType"]), value["containsNull"])
    if kind == "map":
        key, of = from_json(value["keyType"]), from_json(value["valueType"])
        return MapType(key, of, value["valueContainsNull"])
    raise ValueError(f"{value!r} describes no type")


def nullable(kind: DataType) -> DataType:
    """The type whose parts, at any depth, may be null."""
    match kind:
        case ArrayType():
            return ArrayType(nullable(kind.elementType), True)
        case MapType():
            return MapType(nullable(kind.keyType), nullable(kind.valueType), True)
        case StructType():
            return StructType(
                [StructField(f.name, nullable(f.dataType), True, f.metadata) for f in kind.fields]
            )
    return kind
