"""Text files as partitions of lines, cut and read as Hadoop does.

A line ends with `\\n`, `\\r\\n` or a lone `\\r`. Bytes [start, stop) of a file are one partition;
its lines are those that begin after `start` (at it, for the file's beginning) and not after `stop`.
So both ends of a partition's bytes are found by one rule: the first end of a line from there on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from executors.formats.codecs import is_compressed, unpacked
from executors.formats.files import Found, locate, sizes_sum
from planner.sources import TextPart

BLOCK = 32 << 20  # no partition is made larger than Hadoop's block of local files
_SLACK = 1.1  # the last piece of a file may be this much larger than the others
_CHUNK = 1 << 16  # read and split at a time: what fits a core's cache, a third faster than 1 MB
_REMOTE = 4 << 20  # the same where every read is a request
_TAIL = 1 << 14
_MARK = b"\xef\xbb\xbf"  # the byte order mark some editors put first

Spans = tuple[tuple[str, int, int | None], ...]


def split(files: Sequence[Found], minimum: int, use_unicode: bool) -> tuple[TextPart, ...]:
    """Partitions of about equal size, at least about `minimum` of them; empty files give none.

    Raises
    ------
    ValueError
        `minimum` is negative.
    """
    return tuple(TextPart((span,), use_unicode) for span in spans(files, minimum))


def spans(files: Sequence[Found], minimum: int) -> Iterator[tuple[str, int, int | None]]:
    """The (path, start, stop) of the partitions."""
    if minimum < 0:
        raise ValueError(f"minPartitions must not be negative: {minimum}")
    size = max(1, min(sizes_sum(files) // max(1, minimum), BLOCK))
    for file in files:
        if is_compressed(file.path):
            if file.size:
                yield file.path, 0, None
            continue
        start = 0
        while (file.size - start) / size > _SLACK:
            yield file.path, start, start + size
            start += size
        if start < file.size:
            yield file.path, start, file.size


def lines(part: TextPart) -> Iterator[Any]:
    """The lines of a partition, without their ends: str, or bytes as they are in the file.

    Bytes that are not UTF-8 become U+FFFD in a str.
    """
    cut = _text_lines if part.use_unicode else _byte_lines
    pieces = (_piece(path, start, stop, cut) for path, start, stop in part.pieces)
    return chain.from_iterable(chain.from_iterable(pieces))


def blocks(path: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
    """The bytes of the lines of [start, stop) of a file (of all of it), cut after ends of lines."""
    chunks = unpacked(path) if stop is None else _span(path, start, stop)
    return _whole_lines(_unmarked(chunks) if start == 0 else chunks)


def _piece(
    path: str, start: int, stop: int | None, cut: Callable[[bytes], list[Any]]
) -> Iterator[list[Any]]:
    """Lists of lines of one piece of a file."""
    chunks = unpacked(path) if stop is None else _span(path, start, stop)
    if start == 0:
        chunks = _unmarked(chunks)
    return map(cut, _whole_lines(chunks))


def _text_lines(block: bytes) -> list[Any]:
    text = block.decode("utf-8", "replace")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    found = text.split("\n")
    if not found[-1]:
        found.pop()
    return found


def _byte_lines(block: bytes) -> list[Any]:
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    found = block.split(b"\n")
    if not found[-1]:
        found.pop()
    return found


def _whole_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, cut after ends of lines (the last may lack its end)."""
    waiting: list[bytes] = []
    for chunk in chunks:
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            if waiting and waiting[-1].endswith(b"\r"):  # a line ended with the chunk before
                yield b"".join(waiting)
                waiting.clear()
            # Lone `\r`s; one at the very end may be half of `\r\n`, so it waits.
            cut = chunk.rfind(b"\r", 0, len(chunk) - 1) + 1
        if cut:
            waiting.append(chunk[:cut])
            yield b"".join(waiting) if len(waiting) > 1 else waiting[0]
            waiting.clear()
        if cut < len(chunk):
            waiting.append(chunk[cut:])
    if waiting:
        yield b"".join(waiting)


def _unmarked(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Without a byte order mark, which may be spread over tiny chunks."""
    first = b""
    while len(first) < len(_MARK) and (chunk := next(chunks, b"")):
        first += chunk
    return chain((first.removeprefix(_MARK),), chunks)


# ---- a span of a file ----------------------------------------------------------------------------


def _span(path: str, start: int, stop: int) -> Iterator[bytes]:
    """The bytes of the lines that belong to [start, stop), in chunks."""
    place, inside = locate(path)
    step = _CHUNK if place.prefix == "file:" else _REMOTE
    with place.system.open_input_file(inside) as file:
        at = _after_line(file, start) if start else 0
        if at > stop:
            return  # one line covers all of it
        while at < stop:
            chunk = file.read_at(min(step, stop - at), at)
            if not chunk:
                return  # the file was cut short since it was listed
            yield chunk
            at += len(chunk)
        end = _after_line(file, stop)
        while at < end:
            chunk = file.read_at(min(step, end - at), at)
            yield chunk
            at += len(chunk)


def _after_line(file: Any, at: int) -> int:
    """The position after the first end of a line at or after `at`; the file's end if none."""
    while chunk := file.read_at(_TAIL, at):
        feed: int = chunk.find(b"\n")
        back: int = chunk.find(b"\r")
        if feed >= 0 and (back < 0 or feed < back):
            return at + feed + 1
        if back >= 0:
            both = chunk[back + 1 : back + 2] or file.read_at(1, at + back + 1)
            return at + back + (2 if both == b"\n" else 1)
        at += len(chunk)
    return at
