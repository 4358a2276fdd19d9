"""Files read whole: a row is the pair of a file's name and its contents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from executors.formats.codecs import unpacked
from executors.formats.files import Found, name_of, read_whole, sizes_sum
from planner.sources import FilesPart

# Spark's defaults of spark.files.openCostInBytes and spark.files.maxPartitionBytes.
_OPENING = 4 << 20
_LARGEST = 128 << 20


def text_parts(files: Sequence[Found], minimum: int, use_unicode: bool) -> tuple[FilesPart, ...]:
    """Neighbouring files packed into at least about `minimum` partitions of equal size."""
    size = -(-sizes_sum(files) // max(1, minimum))
    return tuple(FilesPart(paths, True, use_unicode) for paths in _packed(files, size))


def binary_parts(
    files: Sequence[Found],
    parallelism: int,
    opening: int = _OPENING,
    largest: int = _LARGEST,
) -> tuple[FilesPart, ...]:
    """Neighbouring files packed so that `parallelism` tasks have work, but no tiny partitions.

    Opening a file counts as much as reading `opening` bytes; no more than `largest` bytes go
    together.
    """
    each = (sizes_sum(files) + opening * len(files)) // max(1, parallelism)
    size = min(largest, max(opening, each))
    return tuple(FilesPart(paths, False) for paths in _packed(files, size))


def _packed(files: Sequence[Found], size: int) -> Iterator[tuple[str, ...]]:
    """Paths in runs that end as soon as they have `size` bytes."""
    run: list[str] = []
    length = 0
    for file in files:
        run.append(file.path)
        length += file.size
        if length >= size > 0:
            yield tuple(run)
            run, length = [], 0
    if run:
        yield tuple(run)


def contents(part: FilesPart) -> Iterator[tuple[Any, Any]]:
    """The (name, contents) of every file of a partition.

    Text is decompressed and decoded as UTF-8 (what is not becomes U+FFFD); without `use_unicode`
    name and contents are bytes. Other files are given as they are.
    """
    for path in part.paths:
        name = name_of(path)
        if not part.text:
            yield name, read_whole(path)
        elif part.use_unicode:
            yield name, b"".join(unpacked(path)).decode("utf-8", "replace")
        else:
            yield name.encode(), b"".join(unpacked(path))
