"""One kept partition as one file: written aside and renamed, read by mapping.

A file is a head (magic, codec, bytes of the payload) and the pickled rows, as they are in a
memory-backed folder, or on disk in compressed pieces of 4 MB, so that writing a block needs little
memory beside it.
"""

from __future__ import annotations

import errno
import mmap
import os
import pickle
import struct
from collections.abc import Iterator
from functools import cache
from typing import Any

_HEAD = struct.Struct("<4scQ")
_MAGIC = b"msk1"
_PLAIN, _LZ4, _ZSTD = b"P", b"L", b"Z"
_NAMES = {_LZ4: "lz4", _ZSTD: "zstd"}
HEAD_BYTES = _HEAD.size
_PIECE = struct.Struct("<I")
_PIECE_BYTES = 4 << 20
_SMALL = 1 << 12  # bytes not worth compressing


def write(path: str, payload: bytes | memoryview, compress: bool) -> int:
    """Write a payload; `path` is there only once it is whole.

    Parameters
    ----------
    path : str
        Where the file goes. Its folder must exist.
    payload : bytes-like
        Pickled rows.
    compress : bool
        Whether to compress (for files on disk).

    Returns
    -------
    int
        Bytes of the file.

    Raises
    ------
    OSError
        The file cannot be written (the folder is full, gone, not ours). Nothing is left of it.

    Examples
    --------
    >>> import os, pickle, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "block")
    ...     size = write(path, pickle.dumps([1, 2, 3]), compress=True)
    ...     read(path)
    [1, 2, 3]
    """
    view = memoryview(payload).cast("B")
    codec = _best() if compress and len(view) > _SMALL else _PLAIN
    aside = path + ".part"
    file = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        try:
            size = _all(file, _HEAD.pack(_MAGIC, codec, len(view)))
            for part in _parts(view, codec):
                size += _all(file, part)
        finally:
            os.close(file)
        os.rename(aside, path)
    except BaseException:
        os.unlink(aside)
        raise
    return size


def read(path: str) -> Any:
    """The rows in a file of `write`, as new objects.

    Raises
    ------
    FileNotFoundError
        The file is gone, cannot be read, or is not whole.
    """
    return pickle.loads(_payload(path))


def read_pickled(path: str) -> bytes:
    """The pickled rows in a file of `write`. Raises FileNotFoundError as `read` does."""
    return bytes(_payload(path))


def remove(path: str) -> bool:
    """Delete the file, and the one it leads to if it was moved; whether there was one."""
    found = False
    target = os.path.realpath(path)
    for name in (path, target) if target != path else (path,):
        try:
            os.unlink(name)
            found = True
        except FileNotFoundError:
            pass  # gone already: that is what was asked for
    return found


def moved(old: str, new: str) -> None:
    """The block of file `old` is in file `new` now: let whoever was told of `old` find it."""
    aside = old + ".part"
    try:
        os.symlink(new, aside)
        os.rename(aside, old)
    except OSError:
        os.unlink(old)  # no room for the link: whoever asks finds nothing, and computes


def _payload(path: str) -> memoryview:
    """The payload of a file: a view into its map (unmapped with the view), or unpacked."""
    try:
        file = os.open(path, os.O_RDONLY)
        try:
            short = os.fstat(file).st_size < _HEAD.size
            view = memoryview(b"" if short else mmap.mmap(file, 0, prot=mmap.PROT_READ))
        finally:
            os.close(file)
    except OSError as error:
        raise _missing(path, error.strerror or "cannot be read") from error
    magic, codec, size = (b"", b"", 0) if short else _HEAD.unpack_from(view)
    if magic != _MAGIC or codec not in (_PLAIN, *_NAMES):
        raise _missing(path, "not a whole block")
    body = view[_HEAD.size :]
    found = body if codec == _PLAIN else _unpacked(path, body, codec, size)
    if len(found) != size:
        raise _missing(path, "not a whole block")
    return found


def _missing(path: str, why: str) -> FileNotFoundError:
    """For a reader all these are one: the block is not there any more."""
    return FileNotFoundError(errno.ENOENT, f"no kept block: {why}", path)


def _parts(view: memoryview, codec: bytes) -> Iterator[bytes | memoryview]:
    if codec == _PLAIN:
        yield view
        return
    packer = _codec(codec)
    for start in range(0, len(view), _PIECE_BYTES):
        # As bytes: a map of the buffer it would give otherwise has the length before packing.
        packed = packer.compress(view[start : start + _PIECE_BYTES], asbytes=True)
        yield _PIECE.pack(len(packed))
        yield packed


def _unpacked(path: str, body: memoryview, codec: bytes, size: int) -> memoryview:
    unpacker, data, at = _codec(codec), bytearray(size), 0
    for start in range(0, size, _PIECE_BYTES):
        width = min(_PIECE_BYTES, size - start)
        try:
            (length,) = _PIECE.unpack_from(body, at)
            packed = body[at + _PIECE.size : at + _PIECE.size + length]
            data[start : start + width] = unpacker.decompress(packed, width)
        except (struct.error, OSError, ValueError) as error:
            raise _missing(path, "not a whole block") from error
        at += _PIECE.size + length
    return memoryview(data)


def _all(file: int, part: bytes | memoryview) -> int:
    view = memoryview(part)
    size = len(view)
    while len(view):
        view = view[os.write(file, view[: 1 << 30]) :]
    return size


@cache
def _best() -> bytes:
    """The codec that this machine has, LZ4 first (spilling should cost no more than pickling)."""
    try:
        import pyarrow  # on first use: not needed before something goes to disk
    except ImportError:
        return _PLAIN
    return next((code for code, name in _NAMES.items() if pyarrow.Codec.is_available(name)), _PLAIN)


@cache
def _codec(code: bytes) -> Any:
    import pyarrow  # where there is a compressed file there is pyarrow

    return pyarrow.Codec(_NAMES[code])
