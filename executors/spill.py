"""Files for rows that do not fit: buckets by hash, and sorted runs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from typing import Any, BinaryIO

from executors import frames

BUCKETS = 16


class Spills:
    """A place for a task's temporary files; every file is unlinked as soon as it is open, and
    closed at the end of the task: what a failed one wrote does not wait for the collector."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.bytes = 0
        self._files: list[BinaryIO] = []

    def file(self) -> BinaryIO:
        file = tempfile.TemporaryFile(dir=self.folder)  # noqa: SIM115  (closed with the others)
        self._files.append(file)
        return file

    def close(self) -> None:
        """Give back the room of all files."""
        for file in self._files:
            with suppress(OSError):  # what was not flushed has no room
                file.close()
        self._files.clear()

    def write(self, file: BinaryIO, rows: list[Any]) -> None:
        data = frames.encode(rows, compress=True)
        self.bytes += len(data)
        file.write(data)


def read(file: BinaryIO) -> Iterator[list[Any]]:
    """The frames of a spill file, from its beginning."""
    head = 9
    file.seek(0)
    while start := file.read(head):
        length = int.from_bytes(start[1:], "little")
        yield from frames.decode(memoryview(start + file.read(length)))


class Buckets:
    """Keyed rows set aside by a hash of their key, so that each bucket can be worked off alone."""

    def __init__(self, spills: Spills, salt: int = 0) -> None:
        self.spills = spills
        self.salt = salt
        self.files: list[BinaryIO] = []

    def add(self, pairs: Iterable[tuple[Any, Any]]) -> None:
        """Set pairs aside."""
        if not self.files:
            self.files = [self.spills.file() for _ in range(BUCKETS)]
        parts: list[list[Any]] = [[] for _ in range(BUCKETS)]
        salt = self.salt
        for pair in pairs:
            parts[hash((salt, pair[0])) % BUCKETS].append(pair)
        for file, part in zip(self.files, parts, strict=True):
            if part:
                self.spills.write(file, part)

    def __bool__(self) -> bool:
        return bool(self.files)

    def each(self) -> Iterator[Iterator[Any]]:
        """The pairs of one bucket after another, in the order they came."""
        while self.files:
            with self.files.pop(0) as file:
                yield chain.from_iterable(read(file))


class Runs:
    """Sorted runs in files."""

    def __init__(self, spills: Spills) -> None:
        self.spills = spills
        self.files: list[BinaryIO] = []

    def add(self, rows: list[Any]) -> None:
        file = self.spills.file()
        for at in range(0, len(rows), 4096):
            self.spills.write(file, rows[at : at + 4096])
        self.files.append(file)

    def each(self) -> list[Iterator[Any]]:
        return [chain.from_iterable(read(file)) for file in self.files]

    def close(self) -> None:
        for file in self.files:
            file.close()
