"""Did a task change cached rows in place? And: arrays in cached rows cannot be changed at all.

PySpark hands every pass fresh copies, so a function that changes its argument is safe there. Here a
pass is handed the live objects. A print (a checksum of what pickling an element gives) is kept of
up to 16 elements, and compared after a pass.

Only values count. What a pickle says about identity stays the same as long as nobody assigns;
classes, functions and modules count by identity, so a class of the user's script that keeps a
counter is no change; NumPy arrays count by shape, type and bytes, not by their flags; and values
that `functools.cached_property` puts into an object are left out. Elements whose print differs
between two looks at once, or that cannot be pickled, are not watched.
"""

from __future__ import annotations

import pickle
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

WATCHED = 16  # elements: the first, the last, and what is between them evenly
LONGEST = 4 << 20  # pickled bytes looked at of one element
MOST = 8 << 20  # pickled bytes after which no further element is looked at

Print = tuple[int, int]  # checksum, bytes


@dataclass(frozen=True)
class Watch:
    """The prints of some elements of a list of `length`. `bytes` is what a look at them costs."""

    length: int
    places: tuple[int, ...]
    prints: tuple[Print, ...]

    @property
    def bytes(self) -> int:
        return sum(size for _, size in self.prints)


def watch(rows: list[Any]) -> Watch:
    """Take prints of the elements of `rows` that could be changed in place.

    Elements that cannot (numbers, text, dates, tuples of those, read-only arrays) cost nothing.
    An element of more than 4 MB pickled is known by its first 4 MB; after 8 MB in all no more
    elements are looked at.

    Examples
    --------
    >>> rows = [[1], [2], [3]]
    >>> before = watch(rows)
    >>> changed(rows, before)
    False
    >>> rows[0].append(4)
    >>> changed(rows, before)
    True
    """
    places, prints, total = [], [], 0
    for place in _places(len(rows)):
        if total >= MOST:
            break
        if _fixed(rows[place]):
            continue
        found = _stable_print(rows[place])
        if found is not None:
            places.append(place)
            prints.append(found)
            total += found[1]
    return Watch(len(rows), tuple(places), tuple(prints))


def changed(rows: list[Any], before: Watch) -> bool:
    """Whether `rows` differ from what they were when `before` was taken."""
    if len(rows) != before.length:
        return True
    pairs = zip(before.places, before.prints, strict=True)
    return any(_print(rows[place])[0] != found for place, found in pairs)


def freeze(rows: list[Any]) -> int:
    """Make NumPy arrays in cached rows read-only; how many were writable.

    Where one of the sampled rows is an array, or a tuple or list with an array in it, all rows are
    gone through; else none.
    """
    count = 0
    for array in _arrays(rows):
        if array.flags.writeable:
            array.flags.writeable = False
            count += 1
    return count


@contextmanager
def writable(rows: Any) -> Iterator[None]:
    """While rows are being pickled: read-only arrays would come back read-only from it."""
    waiting = [array for array in _arrays(rows) if not array.flags.writeable]
    thawed = []
    try:
        # A view can be opened only after the array it looks into, which may come later.
        while waiting:
            left = [array for array in waiting if not _thaw(array)]
            shut = set(map(id, left))
            thawed += [array for array in waiting if id(array) not in shut]
            if len(left) == len(waiting):
                break  # these look into memory that nobody may write
            waiting = left
        yield
    finally:
        for array in thawed:
            array.flags.writeable = False


def _thaw(array: Any) -> bool:
    try:
        array.flags.writeable = True
    except ValueError:
        return False
    return True


def _places(length: int) -> list[int]:
    """The places watched: first, last, the others evenly."""
    count = min(WATCHED, length)
    if count < 2:
        return list(range(count))
    even = [i * (length - 1) // (count - 1) for i in range(count)]
    return [even[0], even[-1], *even[1:-1]]


def _arrays(rows: Any) -> Iterator[Any]:
    """The NumPy arrays among the rows and one level inside them, if the sample has any."""
    numpy = sys.modules.get("numpy")  # where it was never imported there are no arrays
    array: Any = getattr(numpy, "ndarray", None)
    if array is None or not isinstance(rows, list):
        return
    sample = (rows[place] for place in _places(len(rows)))
    if not any(True for _ in _inner(sample, array)):
        return
    yield from _inner(rows, array)


def _inner(rows: Any, array: type) -> Iterator[Any]:
    for row in rows:
        if isinstance(row, array):
            yield row
        elif isinstance(row, tuple | list):
            for each in row:
                if isinstance(each, array):
                    yield each


# ---- what cannot be changed ----------------------------------------------------------------------

_ATOMS = frozenset({int, float, complex, bool, str, bytes, range, type(None)})
_NAMED_ATOMS = frozenset(
    {
        "datetime.date",
        "datetime.datetime",
        "datetime.time",
        "datetime.timedelta",
        "decimal.Decimal",
        "fractions.Fraction",
        "uuid.UUID",
        "pyarrow.lib.RecordBatch",
        "pyarrow.lib.Table",
    }
)  # by name, so that nothing is imported for them


def _fixed(obj: Any, depth: int = 0) -> bool:
    """Whether nobody can change `obj` in place."""
    kind = type(obj)
    if kind in _ATOMS or f"{kind.__module__}.{kind.__qualname__}" in _NAMED_ATOMS:
        return True
    if isinstance(obj, tuple | frozenset):
        plain = not kind.__dictoffset__ and len(obj) <= 1000 and depth < 8
        return plain and all(_fixed(each, depth + 1) for each in obj)
    numpy: Any = sys.modules.get("numpy")
    if numpy is None:
        return False
    if isinstance(obj, numpy.generic):
        return obj.dtype.kind not in "OV"
    return kind is numpy.ndarray and not obj.flags.writeable and not obj.dtype.hasobject


# ---- prints --------------------------------------------------------------------------------------


class _Enough(Exception):
    """So many bytes of an element were seen."""


class _Sum:
    """A file that keeps only a checksum of what is written."""

    def __init__(self) -> None:
        self.sum = 0
        self.size = 0

    def write(self, data: Any) -> int:
        view = memoryview(data)
        self.sum = zlib.crc32(view, self.sum)
        self.size += view.nbytes
        if self.size > LONGEST:
            raise _Enough
        return view.nbytes


class _Printer(pickle.Pickler):
    """Pickles for a checksum only: what it writes is never read."""

    def __init__(self, file: _Sum) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self.file = file
        self.lazy: dict[int, frozenset[str]] = {}
        self.plain = True  # built-in kinds only, which pickle alike every time

    def reducer_override(self, obj: Any) -> Any:
        if obj is int:
            return NotImplemented
        if isinstance(obj, type | FunctionType | BuiltinFunctionType | ModuleType):
            return int, (id(obj),)
        self.plain = False
        numpy: Any = sys.modules.get("numpy")
        if numpy is not None and type(obj) is numpy.ndarray and not obj.dtype.hasobject:
            return int, (self._array(numpy, obj),)
        kind = type(obj)
        if id(kind) not in self.lazy:
            self.lazy[id(kind)] = _lazy_names(kind)
        names = self.lazy[id(kind)]
        return _without(obj, names) if names else NotImplemented

    def _array(self, numpy: Any, array: Any) -> int:
        """A number for shape, type and the first bytes."""
        head = zlib.crc32(f"{array.shape}{array.dtype.str}".encode())
        most = LONGEST // max(1, array.itemsize)
        # Both take no copy of more than that: flat[:n] copies n elements only.
        part = array.reshape(-1)[:most] if array.flags.c_contiguous else array.flat[:most]
        self.file.size += part.nbytes
        return zlib.crc32(part.view(numpy.uint8), head)


def _lazy_names(kind: type) -> frozenset[str]:
    """Attributes that `functools.cached_property` fills in when they are first read."""
    return frozenset(
        name
        for base in kind.__mro__
        for name, each in vars(base).items()
        if isinstance(each, cached_property)
    )


def _without(obj: Any, names: frozenset[str]) -> Any:
    """How `obj` reduces, less the attributes `names`."""
    reduced = obj.__reduce_ex__(pickle.HIGHEST_PROTOCOL)
    if not isinstance(reduced, tuple) or len(reduced) < 3 or not isinstance(reduced[2], dict):
        return reduced
    state = {name: value for name, value in reduced[2].items() if name not in names}
    return (*reduced[:2], state, *reduced[3:])


def _print(obj: Any) -> tuple[Print | None, bool]:
    """The print of an element (None if it cannot be pickled), and whether it is of plain kinds."""
    total = _Sum()
    printer = _Printer(total)
    try:
        printer.dump(obj)
    except _Enough:
        pass  # the beginning has to do
    except Exception:  # whatever a user's __reduce__ raises: such an element cannot be watched
        return None, False
    return (total.sum, total.size), printer.plain


def _stable_print(obj: Any) -> Print | None:
    """The print of an element, None if it would not be the same the next time."""
    found, plain = _print(obj)
    return found if plain or found == _print(obj)[0] else None
