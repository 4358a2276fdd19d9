"""Text files as rows of one column: their lines, or their whole contents."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from executors.formats import text
from executors.formats.codecs import unpacked
from planner.columns import types as t
from planner.columns.functions.registry import Settings
from planner.query.logical import FileSlice

CHUNK = 4 << 20  # bytes that are made a frame together
UNREADABLE = "\ufdd0"  # no character: stands for bytes that are none in the file's encoding
MARKED = "executors.formats.plain.marked"  # an error handler of codecs that puts it in


def _marked(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return UNREADABLE, error.end


codecs.register_error(MARKED, _marked)


def read(
    piece: FileSlice,
    layout: t.StructType,
    names: Sequence[str],
    options: dict[str, str],
    settings: Settings,
) -> Iterator[pl.DataFrame]:
    """The rows of a slice of a text file."""
    name = layout.fields[0].name
    if options.get("wholetext", "false").lower() == "true":
        whole = b"".join(unpacked(piece.path)).decode("utf-8", "replace")
        yield pl.DataFrame({name: [whole]})
        return
    for lines in series(piece, options):
        yield pl.DataFrame({name: lines})


def series(
    piece: FileSlice, options: Mapping[str, str], errors: str = "replace"
) -> Iterator[pl.Series]:
    """The lines of a slice, without their ends, a few MB at a time; `errors` as for `decode`."""
    start, stop = piece.pieces or (0, None)
    encoding = codec_of(options)
    end = escaped(options.get("linesep", ""))
    if end or not splittable(options):
        whole = b"".join(unpacked(piece.path)).decode(encoding, errors)
        whole = whole.removeprefix("\ufeff")
        yield _cut(whole, end or "\n", keep_returns=bool(end))
        return
    waiting: list[bytes] = []
    size = 0
    for block in text.blocks(piece.path, start, stop):
        waiting.append(block)
        size += len(block)
        if size >= CHUNK:
            yield _cut(b"".join(waiting).decode(encoding, errors), "\n")
            waiting, size = [], 0
    if waiting:
        yield _cut(b"".join(waiting).decode(encoding, errors), "\n")


def _cut(block: str, end: str, keep_returns: bool = False) -> pl.Series:
    if not keep_returns and "\r" in block:
        block = block.replace("\r\n", "\n").replace("\r", "\n")
    if not block:
        return pl.Series([], dtype=pl.String)
    return pl.Series([block.removesuffix(end)]).str.split(end).explode()


def codec_of(options: Mapping[str, str]) -> str:
    """Python's name of the files' encoding."""
    return options.get("encoding", options.get("charset", "utf-8"))


def splittable(options: Mapping[str, str]) -> bool:
    """Whether ends of lines can be found from the middle of a file."""
    wide = codec_of(options).lower().replace("_", "-").startswith(("utf-16", "utf-32", "utf16"))
    return (
        not wide
        and not options.get("linesep")
        and not any(
            options.get(name, "false").lower() == "true" for name in ("multiline", "wholetext")
        )
    )


def escaped(text: str) -> str:
    """A separator as users write it: `\\t` and its kin stand for one character."""
    table = {"\\t": "\t", "\\n": "\n", "\\r": "\r", "\\b": "\b", "\\f": "\f", "\\\\": "\\"}
    for written, meant in (*table.items(), ("\\u0000", "\0"), ("\\0", "\0")):
        if text == written:
            return meant
    return text
