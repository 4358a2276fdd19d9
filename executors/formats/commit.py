"""Folders of written files that change all at once: tasks write aside, the driver publishes.

Files are written below `<folder>/_temporary/<job>/<attempt>`. The names of what an attempt wrote
are its answer, so of an attempt that died, or that was not needed, nothing is published.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from executors.formats.errors import FilesError
from executors.formats.files import Place, locate

ASIDE = "_temporary"
DONE = "_SUCCESS"


@dataclass(frozen=True)
class Job:
    """One write: into `folder`, below which `name` is its own. `made` says that the folder was not
    there; `replaces` what happens to files that were: "nothing", "all", or "folders" (those of
    partitions that are written)."""

    folder: str
    name: str
    made: bool
    replaces: str = "nothing"


def begin(path: str, mode: str, dynamic: bool = False) -> Job | None:
    """Prepare a folder for tasks to write to, by the driver. None if there is nothing to do.

    Parameters
    ----------
    path : str
        The folder.
    mode : str
        "error", "ignore", "append" or "overwrite": what to do if there is something. "new" is
        "error" where the user has no other choice.
    dynamic : bool
        Overwrite only the partitions that are written.

    Raises
    ------
    FilesError
        There is something, and the mode is "error" or "new"; or a file stands in the way.
    """
    from pyarrow import fs

    place, folder = locate(path)
    kind = place.system.get_file_info(folder).type
    there = kind != fs.FileType.NotFound
    if there and mode == "ignore":
        return None
    if there and mode == "new":
        raise FilesError(
            f"Output directory {place.shown(folder)} already exists", "PATH_ALREADY_EXISTS"
        )
    if there and mode == "error":
        raise FilesError(
            f"{place.shown(folder)} already exists: set the mode to overwrite or append to write "
            "there all the same",
            "PATH_ALREADY_EXISTS",
        )
    if kind == fs.FileType.File:
        raise FilesError(f"{place.shown(folder)} is a file, not a folder", "PATH_ALREADY_EXISTS")
    replaces = "nothing" if mode != "overwrite" else ("folders" if dynamic else "all")
    job = Job(place.opened(folder), str(uuid.uuid4()), not there, replaces)
    try:
        place.system.create_dir(_own(folder, job), recursive=True)
    except OSError as error:
        if error.errno is None:
            raise
        said = f"cannot make the folder {place.shown(folder)}: {os.strerror(error.errno)}"
        raise type(error)(error.errno, said) from None
    return job


def _own(folder: str, job: Job) -> str:
    return posixpath.join(folder, ASIDE, job.name)


def attempt(job: Job) -> tuple[Place, str, str]:
    """A folder for one attempt of a task: its file system, its path, and its name.

    Raises
    ------
    FileNotFoundError
        The driver has given the write up.
    """
    from pyarrow import fs

    place, folder = locate(job.folder)
    own = _own(folder, job)
    if place.system.get_file_info(own).type != fs.FileType.Directory:
        raise FileNotFoundError(f"{place.shown(own)} is gone: the write was given up")
    name = uuid.uuid4().hex
    place.system.create_dir(posixpath.join(own, name), recursive=False)
    return place, posixpath.join(own, name), name


def publish(job: Job, written: Iterable[str]) -> None:
    """Move what was written to its place, say that it is done, and take away what it replaces.

    `written` are the files of the attempts that counted, as `attempt/…/name`. New files have names
    of their own, so old ones go when the new are there. If moving fails, the folder is as it was.
    """
    place, folder = locate(job.folder)
    own = _own(folder, job)
    moves = []
    for each in written:
        inside = each.partition("/")[2]
        moves.append((posixpath.join(own, each), posixpath.join(folder, inside)))
    moved: list[str] = []
    try:
        old = _replaced(place, folder, job, {posixpath.dirname(final) for _, final in moves})
        with place.system.open_output_stream(posixpath.join(own, DONE)):
            pass
        moves.append((posixpath.join(own, DONE), posixpath.join(folder, DONE)))
        for source, final in moves:
            place.system.create_dir(posixpath.dirname(final), recursive=True)
            place.system.move(source, final)
            moved.append(final)
    except BaseException:
        for final in moved:
            with contextlib.suppress(OSError):  # what made the move fail may do so again
                place.system.delete_file(final)
        abandon(job)
        raise
    for gone in old:
        place.system.delete_file(gone)
    _sweep(place, folder, {posixpath.dirname(gone) for gone in old})
    _clear(place, folder, job)


def _replaced(place: Place, folder: str, job: Job, folders: set[str]) -> list[str]:
    """The files that what is written replaces."""
    from pyarrow import fs

    if job.replaces == "nothing":
        return []
    aside = posixpath.join(folder, ASIDE) + "/"
    infos = place.system.get_file_info(fs.FileSelector(folder, recursive=True))
    files = [info.path for info in infos if info.is_file and not info.path.startswith(aside)]
    files = [path for path in files if path != posixpath.join(folder, DONE)]  # written over
    if job.replaces == "folders":
        files = [path for path in files if posixpath.dirname(path) in folders - {folder}]
    return files


def _sweep(place: Place, folder: str, folders: Iterable[str]) -> None:
    """Remove folders that hold nothing any more, and those above them up to `folder`."""
    from pyarrow import fs

    for each in sorted(folders, key=len, reverse=True):
        while each != folder and not place.system.get_file_info(fs.FileSelector(each)):
            place.system.delete_dir(each)
            each = posixpath.dirname(each)


def _clear(place: Place, folder: str, job: Job) -> None:
    """Remove what the job had aside; other jobs may be writing.

    It gets another name first: a task that writes on finds its folder gone, and cannot put more
    into what is being removed.
    """
    from pyarrow import fs

    own = _own(folder, job)
    with contextlib.suppress(FileNotFoundError):
        try:
            place.system.move(own, gone := f"{own}.gone")
        except FileNotFoundError:
            raise
        except (OSError, NotImplementedError):  # a store of objects has no folders to rename
            gone = own
        place.system.delete_dir(gone)
    aside = posixpath.join(folder, ASIDE)
    with contextlib.suppress(FileNotFoundError):
        if not place.system.get_file_info(fs.FileSelector(aside)):
            place.system.delete_dir(aside)


def abandon(job: Job) -> None:
    """Remove everything that was written, by the driver when the job failed."""
    from pyarrow import fs

    place, folder = locate(job.folder)
    _clear(place, folder, job)
    if job.made:
        with contextlib.suppress(FileNotFoundError):
            left: list[Any] = place.system.get_file_info(fs.FileSelector(folder))
            if not left:
                place.system.delete_dir(folder)
