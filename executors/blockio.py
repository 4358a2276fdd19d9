"""Where a worker writes its blocks and reads those of others."""

from __future__ import annotations

import mmap
import os
from collections.abc import Sequence
from typing import Protocol

from planner.blocks import Block

_SMALL = 1 << 18  # below this, reading is cheaper than mapping


class BlockMissing(Exception):
    """The block is not there any more."""


class BlockIO(Protocol):
    """One node's blocks, as a worker sees them."""

    def write(self, name: str, parts: Sequence[bytes | memoryview], memory_left: int) -> Block:
        """A new block of these bytes. Raises OSError when no place has room for it."""
        ...

    def read(self, block: Block, start: int = 0, length: int | None = None) -> memoryview:
        """A run of bytes of a block. Raises BlockMissing."""
        ...

    def remove(self, block: Block) -> None:
        """Delete it, if it is there."""
        ...


class FileBlocks:
    """Blocks as files: in a memory-backed folder while there is room, else on disk.

    A file is written under a temporary name and renamed when it is whole; it is never mapped for
    writing, so a full folder is an error and not a signal.
    """

    def __init__(self, memory_folder: str, disk_folder: str, node: str) -> None:
        self.memory_folder = memory_folder
        self.disk_folder = disk_folder
        self.node = node

    def write(
        self, name: str, parts: Sequence[bytes | memoryview], memory_left: int = 1 << 40
    ) -> Block:
        size = sum(len(part) for part in parts)
        if size <= memory_left:
            try:
                return self._write(self.memory_folder, name, parts, size)
            except OSError:
                pass  # the memory-backed folder is full: the disk is what it falls back to
        return self._write(self.disk_folder, name, parts, size)

    def _write(
        self, folder: str, name: str, parts: Sequence[bytes | memoryview], size: int
    ) -> Block:
        path = os.path.join(folder, name)
        aside = path + ".part"
        try:
            file = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                _write_all(file, parts)
            finally:
                os.close(file)
            os.rename(aside, path)
        except BaseException:
            if os.path.exists(aside):
                os.unlink(aside)
            raise
        return Block(path, self.node, size)

    def read(self, block: Block, start: int = 0, length: int | None = None) -> memoryview:
        try:
            file = os.open(block.where, os.O_RDONLY)
        except FileNotFoundError as error:
            raise BlockMissing(str(block.where)) from error
        try:
            size = block.bytes - start if length is None else length
            if size < _SMALL:
                return memoryview(os.pread(file, size, start))
            mapped = mmap.mmap(file, 0, prot=mmap.PROT_READ)  # unmapped with its last view
            return memoryview(mapped)[start : start + size]
        finally:
            os.close(file)

    def remove(self, block: Block) -> None:
        try:
            os.unlink(block.where)
        except FileNotFoundError:
            pass  # gone already: that is what was asked for


def _write_all(file: int, parts: Sequence[bytes | memoryview]) -> None:
    for part in parts:
        view = memoryview(part)
        while len(view):
            view = view[os.write(file, view[: 1 << 30]) :]
