"""How many bytes of memory rows hold: a careful guess from a sample of them.

The guess walks objects down to their leaves. What many others refer to as well (a string that is
the key of a thousand rows) counts with its share only: its bytes divided by its references.
Containers of more than 64 things are sampled inside, so the cost is bounded whatever the rows are.
"""

from __future__ import annotations

import gc
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from types import (
    BuiltinFunctionType,
    CodeType,
    FrameType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

SAMPLE = 64  # rows looked at first
MOST = 1024  # rows looked at when their sizes differ much
ERROR = 0.1  # standard error, as a part of the mean, at which the sample is large enough

# After so many objects in one walk, fewer things are looked at inside each large container.
_WIDTHS = ((20_000, 64), (40_000, 8), (1 << 62, 1))

# Code is the program's, not the rows'.
_CODE = (
    type,
    ModuleType,
    FunctionType,
    BuiltinFunctionType,
    MethodDescriptorType,
    WrapperDescriptorType,
    GetSetDescriptorType,
    MemberDescriptorType,
    CodeType,
    FrameType,
)
_FEW = 3  # an object with no more references than this is taken to be the rows' own

_LEAVES = frozenset({int, float, complex, bool, str, bytes, bytearray, type(None)})
_COLUMNAR = frozenset({"pyarrow", "polars", "pandas", "torch"})  # they know their sizes themselves


def deep_size(obj: Any) -> int:
    """Bytes that would be free if `obj` and all that only it holds were gone.

    Parameters
    ----------
    obj : object
        Anything. Arrow and numpy data count their buffers; classes, functions and modules nothing.

    Returns
    -------
    int
        Bytes. Exact where no container in it has more than 64 elements, else a sampled guess.

    Examples
    --------
    >>> deep_size("x" * 1000) >= 1000
    True
    >>> text = "x" * 1000
    >>> deep_size([text, text]) < 1300
    True
    """
    return round(_Walk().size(obj))


def estimate(rows: Any) -> int:
    """Bytes that a block of rows holds, from about 64 of them spread evenly.

    Where the sampled sizes differ so much that their mean is uncertain by more than a tenth,
    up to 1,024 rows are looked at.

    Parameters
    ----------
    rows : list or Arrow table
        A block. A list of up to 64 rows is looked at whole.

    Returns
    -------
    int
        Bytes.

    Examples
    --------
    >>> 60_000_000 < estimate([(i, float(i)) for i in range(10**6)]) < 150_000_000
    True
    """
    if not isinstance(rows, list):
        return deep_size(rows)
    total = len(rows)
    if not total:
        return sys.getsizeof(rows)
    count = SAMPLE
    while True:
        mean, error = _sample(rows, min(count, total))
        if count >= min(MOST, total) or error <= ERROR * mean:
            return sys.getsizeof(rows) + round(mean * total)
        count *= 4


def _sample(rows: list[Any], count: int) -> tuple[float, float]:
    """Mean size of `count` rows, and the standard error of that mean."""
    walk = _Walk()
    sizes = [walk.reference(row) for row in _picked(rows, count)]
    mean = sum(sizes) / count
    if count == len(rows) or count < 2:
        return mean, 0.0
    spread = sum((size - mean) ** 2 for size in sizes) / (count - 1)
    return mean, math.sqrt(spread / count)


def _picked(rows: list[Any], count: int) -> Iterator[Any]:
    """`count` elements, one from each of as many equal runs.

    The place inside a run changes from run to run, so rows that alternate are seen alike.
    """
    total = len(rows)
    for run in range(count):
        start = run * total // count
        width = (run + 1) * total // count - start
        yield rows[start + ((run * 0x9E3779B1 >> 8) % width)]


@dataclass(slots=True)
class _Open:
    """An object whose children are being counted."""

    name: int
    total: float
    children: Iterator[Any]
    scale: float = 1.0  # children for each one that is looked at
    extra: int = 0  # references to each child that this walk itself holds
    share: float = 1.0  # of the bytes, what its parent accounts for


class _Walk:
    """One guess: what was seen so far, so that nothing is counted or walked twice."""

    def __init__(self) -> None:
        self.known: dict[int, float] = {}
        self.seen: list[Any] = []  # so that no id is used again while `known` has it

    def reference(self, obj: Any) -> float:
        """Bytes of `obj` that its place in the rows accounts for."""
        # Besides the rows: the caller's variable, this one, and getrefcount's argument.
        share = self._share(obj, 4)
        return share * self.size(obj) if share else 0.0

    def size(self, obj: Any) -> float:
        """Bytes of `obj` and below, children before parents, without recursion."""
        if isinstance(obj, _CODE):
            return 0.0
        if id(obj) in self.known:
            return self.known[id(obj)]
        stack = [self._open(obj)]
        while True:
            top = stack[-1]
            for child in top.children:
                if isinstance(child, _CODE):
                    continue
                share = self._share(child, 3 + top.extra)
                if id(child) in self.known:
                    top.total += top.scale * share * self.known[id(child)]
                    continue
                stack.append(self._open(child))
                stack[-1].share = share
                break
            else:
                stack.pop()
                self.known[top.name] = top.total
                if not stack:
                    return top.total
                stack[-1].total += stack[-1].scale * top.share * top.total

    def _share(self, obj: Any, ours: int) -> float:
        """The part of `obj` that one reference to it accounts for; `ours` are not counted."""
        seen = id(obj) in self.known
        references = sys.getrefcount(obj) - ours - seen
        if references > _FEW:
            return 1.0 / references
        return 0.0 if seen else 1.0

    def _open(self, obj: Any) -> _Open:
        """The bytes of `obj` alone, and its children."""
        self.known[id(obj)] = 0.0  # what a cycle back to it counts
        self.seen.append(obj)
        kind = type(obj)
        opened = _Open(id(obj), _shallow(obj), iter(()))
        if kind in _LEAVES:
            return opened
        width = next(width for limit, width in _WIDTHS if len(self.known) < limit)
        if kind is list or kind is tuple:
            step = -(-len(obj) // width) or 1
            opened.children = map(obj.__getitem__, range(0, len(obj), step))
            _sampled(opened, len(obj), step)
        elif kind is dict:
            step = -(-len(obj) // width) or 1
            opened.children = chain(islice(obj, 0, None, step), islice(obj.values(), 0, None, step))
            _sampled(opened, len(obj), step)
        elif kind is set or kind is frozenset:
            step = -(-len(obj) // width) or 1
            opened.children = islice(obj, 0, None, step)
            _sampled(opened, len(obj), step)
        elif _is_array(obj):
            _open_array(opened, obj, width)
        elif kind.__module__.partition(".")[0] in _COLUMNAR:
            opened.total = _columnar(obj)
        else:
            _open_other(opened, obj, width)
        return opened


def _sampled(opened: _Open, length: int, step: int) -> None:
    """Children are every `step`-th of `length`."""
    if step > 1:
        opened.scale = length / -(-length // step)


def _open_array(opened: _Open, array: Any, width: int) -> None:
    """A NumPy array: a view's bytes are its base's, which the views share."""
    step = -(-array.size // width) or 1
    if array.dtype.kind == "O":
        opened.children = map(array.flat.__getitem__, range(0, array.size, step))
        _sampled(opened, array.size, step)
    elif array.base is not None:
        opened.children = iter((array.base,))
        opened.extra = 1


def _open_other(opened: _Open, obj: Any, width: int) -> None:
    """Any other object: the collector knows what it refers to (attributes, slots, elements)."""
    found = gc.get_referents(obj)
    if type(obj).__dictoffset__:
        opened.total += 16 + 8 * len(found)  # attribute values that sit outside the object
    step = -(-len(found) // width) or 1
    opened.children = map(found.__getitem__, range(0, len(found), step))
    opened.extra = 1
    _sampled(opened, len(found), step)


def _shallow(obj: Any) -> float:
    """Bytes of the object alone, as the allocator rounds them."""
    try:
        size = sys.getsizeof(obj)
    except Exception:  # a class of the user's whose __sizeof__ fails: a guess needs no more
        size = type(obj).__basicsize__
    return (size + 15) & ~15


def _is_array(obj: Any) -> bool:
    numpy = sys.modules.get("numpy")  # where it was never imported there are no arrays
    return numpy is not None and isinstance(obj, getattr(numpy, "ndarray", ()))


def _columnar(obj: Any) -> int:
    """Bytes of an Arrow, Polars or Torch value with its buffers; pandas has them in getsizeof."""
    kind = type(obj)
    if kind.__module__.startswith("pandas"):
        return sys.getsizeof(obj)
    if hasattr(kind, "nbytes"):
        return int(obj.nbytes) + kind.__basicsize__
    if hasattr(kind, "estimated_size"):
        return int(obj.estimated_size()) + kind.__basicsize__
    return sys.getsizeof(obj)
