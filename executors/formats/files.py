"""What a user's path stands for: a file system, and the files that a path or pattern names.

A path is a local one, `file:/…`, or a URI of any file system that pyarrow or fsspec knows. Patterns
are Hadoop's: `*`, `?`, `[a-c]`, `[^a]`, `{a,b}` and `\\` before a character to take it as it is.
Names that begin with `_` or `.` are hidden, as Spark hides them.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*)://([^/]*)(.*)", re.DOTALL)
_WILD = re.compile(r"[*?\[\]{}\\]")

Folders = Literal["refuse", "skip", "enter"]


@dataclass(frozen=True)
class Place:
    """A file system. `prefix` + a path's part after `root` is what users call that path."""

    system: Any  # pyarrow.fs.FileSystem
    root: str
    prefix: str

    def shown(self, inside: str) -> str:
        """The user's name for a path of this file system: `file:/…` or a URI."""
        return f"{self.prefix}/{inside.removeprefix(self.root).lstrip('/')}"

    def opened(self, inside: str) -> str:
        """The name under which any process can open a path of this file system."""
        return inside if self.prefix == "file:" else self.shown(inside)


@dataclass(frozen=True)
class Found:
    """A file: a `path` that any process can open, the name `shown` to users, its size in bytes."""

    path: str
    shown: str
    size: int


@cache
def _local() -> Place:
    from pyarrow import fs

    return Place(fs.LocalFileSystem(), "", "file:")


@cache
def _remote(scheme: str, authority: str) -> Place:
    """The place behind `scheme://authority`, made once in a process."""
    import pyarrow
    from pyarrow import fs

    uri = f"{scheme}://{authority}"
    try:
        system, root = fs.FileSystem.from_uri(uri + "/")
    except pyarrow.ArrowInvalid as error:
        if "nrecognized filesystem" not in str(error):
            raise
        system, root = _by_fsspec(scheme), authority
    return Place(system, root.rstrip("/"), uri)


def _by_fsspec(scheme: str) -> Any:
    from pyarrow import fs

    try:
        import fsspec

        return fs.PyFileSystem(fs.FSSpecHandler(fsspec.filesystem(scheme)))
    except (ImportError, ValueError) as error:
        raise ValueError(
            f"no file system for {scheme}:// paths: {error} (pyarrow's own and, where it is "
            "installed, fsspec's can be used)"
        ) from error


def locate(path: str | os.PathLike[str]) -> tuple[Place, str]:
    """The file system of a path and the path inside it, absolute. Nothing is looked up.

    Raises
    ------
    ValueError
        The path is empty or its file system is not known.
    """
    text = os.fspath(path)
    if not text:
        raise ValueError("a path cannot be an empty string")
    if text.startswith("file:"):
        rest = text.removeprefix("file:")
        if rest.startswith("//"):  # file://host/path: the host is this one
            rest = "/" + rest[2:].partition("/")[2]
        return _local(), os.path.abspath(rest)
    remote = _URI.match(text)
    if remote is None:
        return _local(), os.path.abspath(text)
    place = _remote(remote[1], remote[2])
    inside = posixpath.normpath(remote[3]) if remote[3] else ""
    return place, place.root + ("" if inside == "/" else inside) or "/"


def name_of(path: str) -> str:
    """A path as users are shown it, `file:/…` or a URI."""
    place, inside = locate(path)
    return place.shown(inside)


# ---- finding -------------------------------------------------------------------------------------


def find(paths: str | os.PathLike[str], folders: Folders = "refuse") -> list[Found]:
    """The files that comma-separated paths and patterns name, sorted within each of them.

    A folder stands for the files in it. What lies in folders below it is refused, skipped, or
    entered.

    Raises
    ------
    FileNotFoundError
        A path does not exist or a pattern matches nothing; all of them are named.
    IsADirectoryError
        There is a folder within a folder and `folders` is "refuse".
    """
    found: list[Found] = []
    missing: list[str] = []
    for path in _listed(os.fspath(paths)):
        place, pattern = locate(path)
        infos = [info for info in _matches(place, pattern) if not _hidden(info.path)]
        if not infos:
            missing.append(_nothing_at(place, pattern))
        for info in infos:
            found.extend(_files_of(place, info, folders))
    if missing:
        raise FileNotFoundError("\n".join(missing))
    return found


def matching(path: str | os.PathLike[str]) -> tuple[Place, list[Any]]:
    """The file system of a path or pattern, and what is there (pyarrow's FileInfo), hidden names
    included."""
    place, pattern = locate(path)
    return place, _matches(place, pattern)


def _nothing_at(place: Place, pattern: str) -> str:
    shown = place.shown(pattern)
    note = ""
    if _hidden(pattern):
        note = " (names that begin with '_' or '.' are hidden)"
    if _WILD.search(pattern):
        return f"Input Pattern {shown} matches 0 files{note}"
    return f"Input path does not exist: {shown}{note}"


def _hidden(path: str) -> bool:
    return posixpath.basename(path).startswith(("_", "."))


def _files_of(place: Place, info: Any, folders: Folders) -> Iterator[Found]:
    """The file that `info` is, or those in the folder that it is."""
    stack = [(info, True)]
    while stack:
        each, named = stack.pop()
        if each.is_file:
            yield Found(place.opened(each.path), place.shown(each.path), each.size)
        elif named or folders == "enter":
            inside = [(child, False) for child in _children(place, each.path)]
            stack.extend(reversed(inside))
        elif folders == "refuse":
            raise IsADirectoryError(
                f"{place.shown(each.path)} is a folder within the input folder; name the files "
                f"with a pattern ({place.shown(info.path)}/*), or set "
                "spark.hadoop.mapreduce.input.fileinputformat.input.dir.recursive to true"
            )


def _children(place: Place, folder: str) -> list[Any]:
    """What a folder holds and shows, sorted by name."""
    from pyarrow import fs

    known = (fs.FileType.File, fs.FileType.Directory)  # no sockets, no dangling links
    infos = place.system.get_file_info(fs.FileSelector(folder))
    shown = (info for info in infos if info.type in known and not _hidden(info.path))
    return sorted(shown, key=lambda info: str(info.path))


def _listed(paths: str) -> Iterator[str]:
    """Cut at commas that are not inside braces."""
    depth = start = 0
    for at, letter in enumerate(paths):
        if letter == "{":
            depth += 1
        elif letter == "}":
            depth -= 1
        elif letter == "," and depth <= 0:
            yield paths[start:at]
            start = at + 1
    yield paths[start:]


# ---- patterns ------------------------------------------------------------------------------------


def _matches(place: Place, pattern: str) -> list[Any]:
    """What exists and fits the pattern, sorted by path, hidden names included."""
    from pyarrow import fs

    known = (fs.FileType.File, fs.FileType.Directory)
    if not _WILD.search(pattern):
        info = place.system.get_file_info(pattern)
        return [info] if info.type in known else []
    found: dict[str, Any] = {}
    for plain in _alternatives(pattern):
        for info in _walk(place, plain):
            found[info.path] = info
    return [found[path] for path in sorted(found)]


def _walk(place: Place, pattern: str) -> list[Any]:
    """As `_matches`, for a pattern without braces: one folder level after the other."""
    from pyarrow import fs

    steps = pattern.split("/")
    fixed = 0
    while fixed < len(steps) - 1 and not _WILD.search(steps[fixed]):
        fixed += 1
    reached = [place.system.get_file_info("/".join(steps[:fixed]) or "/")]
    for step in steps[fixed:]:
        fits = _regex(step)
        reached = [
            info
            for folder in reached
            if folder.type == fs.FileType.Directory
            for info in place.system.get_file_info(fs.FileSelector(folder.path))
            if fits.fullmatch(info.base_name)
        ]
    known = (fs.FileType.File, fs.FileType.Directory)
    return [info for info in reached if info.type in known]


def _alternatives(pattern: str) -> list[str]:
    """`a{b,c{d,e}}` as `ab`, `acd`, `ace`. A brace without its partner is an error."""
    opening = _next_brace(pattern)
    if opening < 0:
        return [pattern]
    depth, start, choices = 1, opening + 1, []
    for at in _unescaped(pattern, opening + 1):
        letter = pattern[at]
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if (letter == "," and depth == 1) or depth == 0:
            choices.append(pattern[start:at])
            start = at + 1
        if depth == 0:
            head, tail = pattern[:opening], pattern[start:]
            return [each for choice in choices for each in _alternatives(head + choice + tail)]
    raise ValueError(f"the path pattern {pattern!r} has an opening brace that nothing closes")


def _next_brace(pattern: str) -> int:
    return next((at for at in _unescaped(pattern, 0) if pattern[at] == "{"), -1)


def _unescaped(pattern: str, at: int) -> Iterator[int]:
    """The positions from `at` on of characters without a backslash before them."""
    while at < len(pattern):
        if pattern[at] == "\\":
            at += 2
        else:
            yield at
            at += 1


@cache
def _regex(step: str) -> re.Pattern[str]:
    """One step of a path pattern (no braces, no slash) as a regular expression."""
    out: list[str] = []
    at = 0
    while at < len(step):
        letter = step[at]
        at += 1
        if letter == "\\" and at < len(step):
            out.append(re.escape(step[at]))
            at += 1
        elif letter == "*":
            out.append(".*")
        elif letter == "?":
            out.append(".")
        elif letter == "[":
            end = step.find("]", at + 1)
            if end < 0:
                raise ValueError(f"the path pattern {step!r} has a '[' that nothing closes")
            inner = step[at:end]
            negated = inner[0] in "^!"
            inner = inner[1:] if negated else inner
            letters = re.sub(r"([\\\[\]^&~|])", r"\\\1", inner)
            out.append(f"[{'^' if negated else ''}{letters}]")
            at = end + 1
        else:
            out.append(re.escape(letter))
    return re.compile("".join(out), re.DOTALL)


# ---- opening -------------------------------------------------------------------------------------


def read_whole(path: str) -> bytes:
    """All bytes of a file as they are."""
    place, inside = locate(path)
    with place.system.open_input_file(inside) as file:
        data: bytes = file.read()
        return data


def sizes_sum(files: Iterable[Found]) -> int:
    """Bytes of all files together."""
    return sum(file.size for file in files)
