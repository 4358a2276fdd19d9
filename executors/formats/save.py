"""Folders of part files that appear all at once or not at all.

Tasks write aside, below `<folder>/_temporary`, each attempt under a name of its own, and say where.
The driver moves the files of the attempts that counted to their places and adds `_SUCCESS`. What
other attempts wrote goes away with `_temporary`.
"""

from __future__ import annotations

import contextlib
import posixpath
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from executors.formats import pickled
from executors.formats.codecs import create, end_for
from executors.formats.files import Place, locate

_ASIDE = "_temporary"
_ROWS = 2048  # lines joined before a write


@dataclass(frozen=True)
class Saving:
    """A folder that is being written, and that nobody else made."""

    folder: str


def begin(folder: str) -> Saving:
    """Prepare `folder` for tasks to write to. Called by the driver.

    Raises
    ------
    FileExistsError
        There is something of that name.
    """
    from pyarrow import fs

    place, inside = locate(folder)
    if place.system.get_file_info(inside).type != fs.FileType.NotFound:
        raise FileExistsError(f"Output directory {place.shown(inside)} already exists")
    place.system.create_dir(posixpath.join(inside, _ASIDE), recursive=True)
    return Saving(place.opened(inside))


def publish(saving: Saving, written: Iterable[str]) -> None:
    """Move what the counting attempts `written` to its place; called once, by the driver.

    `written` are the answers of `save_text_partition` and `save_pickle_partition`. If that fails,
    nothing is left.
    """
    place, folder = locate(saving.folder)
    aside = posixpath.join(folder, _ASIDE)
    try:
        for name in written:
            final = posixpath.join(folder, posixpath.basename(name))
            place.system.move(posixpath.join(aside, name), final)
        place.system.delete_dir(aside)
        with place.system.open_output_stream(posixpath.join(folder, "_SUCCESS")):
            pass
    except BaseException:
        abandon(saving)
        raise


def abandon(saving: Saving) -> None:
    """Remove everything that was written; called by the driver when the job failed."""
    place, folder = locate(saving.folder)
    with contextlib.suppress(FileNotFoundError):
        place.system.delete_dir(folder)


def save_text_partition(
    saving: Saving, partition: int, rows: Iterable[Any], codec: str | None = None
) -> str:
    """Write a partition as lines of UTF-8, in a task. Answers what `publish` needs to know.

    `str` and `bytes` rows are written as they are, others as `str(row)`. `codec` is the name of a
    Hadoop codec class, or gzip, bzip2, zstd, deflate.
    """
    return _save(saving, f"part-{partition:05d}{end_for(codec)}", _lines(rows))


def save_pickle_partition(
    saving: Saving, partition: int, rows: Iterable[Any], batch: int = 0
) -> str:
    """Write a partition as pickled rows, in a task. Answers what `publish` needs to know."""
    return _save(saving, f"part-{partition:05d}", pickled.frames(rows, batch))


def _save(saving: Saving, name: str, chunks: Iterable[bytes]) -> str:
    place, folder = locate(saving.folder)
    written = posixpath.join(uuid.uuid4().hex, name)
    target = posixpath.join(folder, _ASIDE, written)
    _make_room(place, posixpath.dirname(target))
    with create(place.system, target) as file:
        for chunk in chunks:
            file.write(chunk)
    return written


def _make_room(place: Place, folder: str) -> None:
    """A folder within `_temporary`, which must still be there.

    Once the driver has given up, a task that goes on must not make the folder again.
    """
    from pyarrow import fs

    parent = posixpath.dirname(folder)
    if place.system.get_file_info(parent).type != fs.FileType.Directory:
        raise FileNotFoundError(f"{place.shown(parent)} is gone: the save was given up")
    place.system.create_dir(folder, recursive=False)


def _lines(rows: Iterable[Any]) -> Iterator[bytes]:
    more = iter(rows)
    while some := list(islice(more, _ROWS)):
        try:
            yield ("\n".join(some) + "\n").encode()
        except TypeError:  # not all are str
            yield b"".join(_line(row) + b"\n" for row in some)


def _line(row: Any) -> bytes:
    if isinstance(row, bytes):
        return row
    return (row if isinstance(row, str) else str(row)).encode()
