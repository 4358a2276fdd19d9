"""One hash of keys for all workers.

Workers start with one hash seed, so the builtin hash of strings, bytes and numbers agrees between
them and keeps `1 == 1.0 == True`. A few things still differ from process to process and are mended
here: None, NaN, classes, and all of these inside tuples, frozen sets and frozen data classes. The
driver must not hash keys: its seed is another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, is_dataclass
from itertools import chain
from typing import Any, NoReturn

_STEADY = frozenset({str, bytes, int, bool})
_NONE_HASH = 0
_NAN_HASH = 0x4E614E


def portable_hash(key: Any) -> int:
    """The hash of a key, the same for equal keys in every worker.

    Raises
    ------
    TypeError
        If the key (or something in a tuple key) cannot be hashed.
    """
    kind = type(key)
    if kind in _STEADY:
        return hash(key)
    if key is None:
        return _NONE_HASH
    if kind is float:
        return _NAN_HASH if key != key else hash(key)
    if isinstance(key, tuple):
        return hash(tuple(map(portable_hash, key)))
    if isinstance(key, float) and key != key:
        return _NAN_HASH
    if isinstance(key, frozenset):
        return hash(frozenset(map(portable_hash, key)))
    if isinstance(key, type):
        return hash((key.__module__, key.__qualname__))
    names = _hashed_fields(kind)
    if names is not None:
        return hash(tuple(portable_hash(getattr(key, name)) for name in names))
    return hash(key)


def _hashed_fields(kind: type) -> list[str] | None:
    """The fields in the hash of a data class, None where that is not the one made by Python."""
    code = getattr(kind.__hash__, "__code__", None)
    if code is None or not is_dataclass(kind):
        return None
    names = [f.name for f in fields(kind) if (f.compare if f.hash is None else f.hash)]
    return names if code.co_names == ("hash", *names) else None


def _tuple_hash(key: tuple[Any, ...]) -> int:
    return hash(tuple(map(hash, key)))


def best_hash(keys: Sequence[Any]) -> Callable[[Any], int]:
    """The fastest function that agrees with `portable_hash` on all of `keys`."""
    kinds = set(map(type, keys))
    if kinds <= _STEADY:
        return hash
    if kinds == {tuple} and set(map(type, chain.from_iterable(keys))) <= _STEADY:
        return _tuple_hash
    return portable_hash


def hashes(keys: Sequence[Any]) -> Iterable[int]:
    """The hash of each key."""
    return map(best_hash(keys), keys)


class UnhashableKey(TypeError):
    """A key that cannot be used to partition data."""


def refuse_unhashable(error: TypeError, keys: Iterable[Any]) -> NoReturn:
    """Raise what says why hashing `keys` failed: it names the first one that has no hash.

    Raises `error` itself where all of them have one.
    """
    for key in keys:
        try:
            portable_hash(key)
        except TypeError as reason:
            raise UnhashableKey(
                f"key {key!r:.80} of type {type(key).__name__} cannot be hashed, so rows cannot be "
                "grouped by it; use a tuple, a string or a number as the key"
            ) from reason
    raise error
