"""A row as users see it: a tuple whose values have names."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any


class Row(tuple[Any, ...]):
    """A row: a tuple with names.

    `Row(name="Ann", age=3)` is a row; `Row("name", "age")` makes rows: call it with values.

    Examples
    --------
    >>> row = Row(name="Ann", age=3)
    >>> row.name, row["age"], row[0], "age" in row
    ('Ann', 3, 'Ann', True)
    >>> Person = Row("name", "age")
    >>> Person("Bob", 4)
    Row(name='Bob', age=4)
    """

    __fields__: list[str]

    def __new__(cls, *args: Any, **named: Any) -> Row:
        if args and named:
            raise ValueError("a Row takes values, or names with values, and not both")
        if not named:
            return tuple.__new__(cls, args)
        row = tuple.__new__(cls, named.values())
        row.__fields__ = list(named)
        return row

    @staticmethod
    def _made(names: list[str], values: Iterable[Any]) -> Row:
        """A row of these names, which are not copied."""
        row = tuple.__new__(Row, values)
        object.__setattr__(row, "__fields__", names)
        return row

    def asDict(self, recursive: bool = False) -> dict[str, Any]:
        """The values by name; with `recursive` rows inside too.

        Raises
        ------
        TypeError
            The row has no names.

        Examples
        --------
        >>> Row(a=1, b=Row(c=2)).asDict(recursive=True)
        {'a': 1, 'b': {'c': 2}}
        """
        if not hasattr(self, "__fields__"):
            raise TypeError("a Row without names cannot be a dict")
        if not recursive:
            return dict(zip(self.__fields__, self, strict=False))
        return dict(zip(self.__fields__, map(_plain, self), strict=False))

    def __contains__(self, item: object) -> bool:
        if hasattr(self, "__fields__"):
            return item in self.__fields__
        return super().__contains__(item)

    def __call__(self, *values: Any) -> Row:
        if len(values) > len(self):
            raise ValueError(
                f"this Row has {len(self)} names ({', '.join(map(str, self))}), and was given "
                f"{len(values)} values"
            )
        return Row._made(list(self), values)

    def __getitem__(self, item: Any) -> Any:
        if isinstance(item, int | slice):
            return super().__getitem__(item)
        try:
            return super().__getitem__(self.__fields__.index(item))
        except (ValueError, AttributeError, IndexError):
            raise ValueError(f"there is no {item!r} in this row") from None

    def __getattr__(self, item: str) -> Any:
        if item.startswith("__"):
            raise AttributeError(item)
        try:
            return super().__getitem__(self.__fields__.index(item))
        except (ValueError, IndexError):
            raise AttributeError(f"there is no {item!r} in this row") from None

    def __setattr__(self, key: str, value: Any) -> None:
        if key != "__fields__":
            raise RuntimeError("a Row cannot be changed")
        self.__dict__[key] = value

    def __reduce__(self) -> str | tuple[Any, ...]:
        if hasattr(self, "__fields__"):
            return (Row._made, (self.__fields__, tuple(self)))
        return tuple.__reduce__(self)

    def __repr__(self) -> str:
        if hasattr(self, "__fields__"):
            pairs = zip(self.__fields__, self, strict=False)
            return f"Row({', '.join(f'{name}={value!r}' for name, value in pairs)})"
        return f"<Row({', '.join(map(repr, self))})>"


@functools.lru_cache(maxsize=256)
def row_class(names: tuple[str, ...]) -> type[Row]:
    """A class of rows of these names: they are made at the speed of tuples, and pickled as Rows.

    >>> tuple.__new__(row_class(("a", "b")), (1, 2))
    Row(a=1, b=2)
    """
    return type("Row", (Row,), {"__fields__": list(names), "__module__": Row.__module__})


def _plain(value: Any) -> Any:
    if isinstance(value, Row):
        return value.asDict(True)
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return value
