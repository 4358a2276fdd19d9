"""Compressed files, by the end of their name."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator
from typing import Any

from executors.formats.files import locate

# end of the name -> pyarrow's name of the codec; "zlib" is ours, and None cannot be read
_BY_END: dict[str, str | None] = {
    ".gz": "gzip",
    ".bz2": "bz2",
    ".zst": "zstd",
    ".deflate": "zlib",
    ".lz4": "lz4",
    ".snappy": None,
    ".lzo": None,
}
_BY_CLASS = {
    "org.apache.hadoop.io.compress.GzipCodec": ".gz",
    "org.apache.hadoop.io.compress.BZip2Codec": ".bz2",
    "org.apache.hadoop.io.compress.DefaultCodec": ".deflate",
    "org.apache.hadoop.io.compress.DeflateCodec": ".deflate",
    "org.apache.hadoop.io.compress.ZStandardCodec": ".zst",
    "gzip": ".gz",
    "bzip2": ".bz2",
    "deflate": ".deflate",
    "zstd": ".zst",
}
_CHUNK = 1 << 16  # as for text
_BUFFER = 1 << 20


def is_compressed(path: str) -> bool:
    """Whether a file of this name is compressed, so that it can only be read from its beginning."""
    return path.endswith(tuple(_BY_END))


def end_for(codec: str | None) -> str:
    """The end of the names of files that a codec writes; `codec` is a Hadoop class or a short name.

    Raises
    ------
    ValueError
        The codec is not one that can be written.
    """
    if codec is None:
        return ""
    if codec not in _BY_CLASS:
        raise ValueError(
            f"unknown compression codec {codec!r}; known are {', '.join(sorted(_BY_CLASS))}"
        )
    return _BY_CLASS[codec]


def unpacked(path: str) -> Iterator[bytes]:
    """The contents of a file, decompressed, in chunks.

    Raises
    ------
    NotImplementedError
        Files of this compression cannot be read.
    OSError
        The file is damaged or cannot be read; the message names it.
    """
    codec = next((name for end, name in _BY_END.items() if path.endswith(end)), "")
    if codec is None:
        raise NotImplementedError(f"{path}: files of this compression cannot be read")
    place, inside = locate(path)
    if codec == "zlib":
        with place.system.open_input_stream(inside) as file:
            yield from _inflated(file, path)
        return
    with place.system.open_input_stream(inside, compression=codec or None) as file:
        while chunk := _next(file, path):
            yield chunk


def _next(file: Any, path: str) -> bytes:
    try:
        chunk: bytes = file.read(_CHUNK)
    except (OSError, ValueError) as error:
        raise OSError(f"cannot read {path}: {error}") from error
    return chunk


def _inflated(file: Any, path: str) -> Iterator[bytes]:
    inflate = zlib.decompressobj()
    try:
        while chunk := file.read(_CHUNK):
            yield inflate.decompress(chunk)
        yield inflate.flush()
    except zlib.error as error:
        raise OSError(f"cannot read {path}: {error}") from error
    if not inflate.eof:
        raise OSError(f"cannot read {path}: it ends in the middle of its compressed data")


class _Deflating:
    """A writable file that compresses what is written to it."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._deflate = zlib.compressobj()

    def write(self, data: bytes) -> None:
        self._file.write(self._deflate.compress(data))

    def close(self) -> None:
        self._file.write(self._deflate.flush())
        self._file.close()


def create(system: Any, inside: str) -> contextlib.AbstractContextManager[Any]:
    """A new file of a pyarrow file system to write to, compressed as its name says."""
    codec = next((name for end, name in _BY_END.items() if inside.endswith(end)), None)
    packed = None if codec == "zlib" else codec
    file = system.open_output_stream(inside, compression=packed, buffer_size=_BUFFER)
    return contextlib.closing(_Deflating(file) if codec == "zlib" else file)
