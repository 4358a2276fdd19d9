"""The rows of a partition of a source, by what it is made of."""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator
from functools import singledispatch
from itertools import chain
from typing import Any

from executors.formats import pickled, records, text, whole
from planner.sources import (
    FilesPart,
    NothingPart,
    Part,
    PickledPart,
    RangePart,
    RecordsPart,
    RowsPart,
    TextPart,
    ValuesPart,
)


@singledispatch
def read(part: Part) -> Iterator[Any]:
    """An iterator over the rows of `part`. Nothing is read before the first row is asked for."""
    raise TypeError(f"there is no reader for a {type(part).__name__}")


@read.register
def _(part: NothingPart) -> Iterator[Any]:
    return iter(())


@read.register
def _(part: RangePart) -> Iterator[Any]:
    return iter(range(part.start, part.stop, part.step))


@read.register
def _(part: RowsPart) -> Iterator[Any]:
    return chain.from_iterable(_pickles(part.payload))


def _pickles(payload: bytes) -> Iterator[Any]:
    """What was pickled, one after the other."""
    file = io.BytesIO(payload)
    while file.tell() < len(payload):
        yield pickle.load(file)


@read.register
def _(part: ValuesPart) -> Iterator[Any]:
    return iter(part.values)


@read.register
def _(part: TextPart) -> Iterator[Any]:
    return text.lines(part)


@read.register
def _(part: FilesPart) -> Iterator[Any]:
    return whole.contents(part)


@read.register
def _(part: RecordsPart) -> Iterator[Any]:
    return records.records(part)


@read.register
def _(part: PickledPart) -> Iterator[Any]:
    return pickled.rows(part)
