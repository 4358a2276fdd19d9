"""Files that go along with the program: addFile, addPyFile, addArchive."""

from __future__ import annotations

import filecmp
import importlib
import os
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from executors.formats import files

if TYPE_CHECKING:
    from minispark.session import Session

_WEB = ("http://", "https://", "ftp://")
_SAFELY: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
_ARCHIVES = {".zip": "zip", ".jar": "zip", ".tar": "tar", ".tar.gz": "gztar", ".tgz": "gztar"}


class Shipping:
    """The part of SparkContext that gives tasks files."""

    PACKAGE_EXTENSIONS: ClassVar[Iterable[str]] = (".zip", ".egg", ".jar")

    if TYPE_CHECKING:

        @property
        def _session(self) -> Session: ...

    def _begin_shipping(self, folder: str) -> None:
        self._files_folder = folder
        self._added: dict[str, None] = {}  # as a set that keeps its order
        self._archives: dict[str, None] = {}
        self._python_includes: list[str] = []
        self._on_path = [folder]
        sys.path.insert(1, folder)

    def _end_shipping(self) -> None:
        for entry in self._on_path:
            if entry in sys.path:
                sys.path.remove(entry)
        self._on_path.clear()

    def addFile(self, path: str, recursive: bool = False) -> None:
        """Give every task a copy of a file, to be found with `SparkFiles.get(its name)`.

        Parameters
        ----------
        path : str
            A file: local, a URI of a file system that pyarrow knows, or of the web.
        recursive : bool
            Allow a folder, with all that is in it.

        Raises
        ------
        FileNotFoundError
            There is no such file.
        IsADirectoryError
            It is a folder, and `recursive` is False.
        FileExistsError
            Another file of that name was added.

        Examples
        --------
        >>> import os, tempfile
        >>> from minispark import SparkFiles
        >>> path = os.path.join(tempfile.mkdtemp(), "words.txt")
        >>> with open(path, "w") as file:
        ...     _ = file.write("to be")
        >>> sc.addFile(path)
        >>> sc.range(1).map(lambda _: os.path.getsize(SparkFiles.get("words.txt"))).first()
        5
        """
        self._add(path, recursive, importable=False)

    @property
    def listFiles(self) -> list[str]:
        """The paths of all added files, as URIs.

        >>> all(path.startswith("file:/") for path in sc.listFiles)
        True
        """
        return list(self._added)

    def addPyFile(self, path: str) -> None:
        """Give every task a module (`.py`) or package (`.zip`, `.egg`) to import.

        It can be imported in the driver too.

        Parameters
        ----------
        path : str
            As for `addFile`.

        Examples
        --------
        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "greetings.py")
        >>> with open(path, "w") as file:
        ...     _ = file.write("def hello(): return 'hello'")
        >>> sc.addPyFile(path)
        >>> def greet(_):
        ...     import greetings
        ...     return greetings.hello()
        >>> sc.range(1).map(greet).first()
        'hello'
        """
        name = self._add(path, False, importable=True)
        if name[-4:].lower() in self.PACKAGE_EXTENSIONS and name not in self._python_includes:
            self._python_includes.append(name)
            self._on_path.append(os.path.join(self._files_folder, name))
            sys.path.insert(1, self._on_path[-1])
        importlib.invalidate_caches()

    def addArchive(self, path: str) -> None:
        """Give every task what is in an archive, unpacked to folder `SparkFiles.get(name)`.

        Parameters
        ----------
        path : str
            As for `addFile`; a .zip, .tar, .tar.gz, .tgz or .jar. `#other` at its end is the name
            of the folder.

        Raises
        ------
        ValueError
            It is no archive of these kinds.

        Examples
        --------
        >>> from minispark import SparkFiles
        >>> import os, shutil, tempfile
        >>> folder = tempfile.mkdtemp()
        >>> with open(os.path.join(folder, "words.txt"), "w") as file:
        ...     _ = file.write("to be")
        >>> archive = os.path.join(tempfile.mkdtemp(), "all")
        >>> sc.addArchive(shutil.make_archive(archive, "zip", folder))
        >>> def read(_):
        ...     with open(os.path.join(SparkFiles.get("all.zip"), "words.txt")) as file:
        ...         return file.read()
        >>> sc.range(1).map(read).first()
        'to be'
        """
        archive, _, wished = path.partition("#")
        shown = files.name_of(archive) + (f"#{wished}" if wished else "")
        if shown in self._archives:
            return
        name = wished or os.path.basename(archive)
        kind = next((kind for end, kind in _ARCHIVES.items() if archive.endswith(end)), None)
        if kind is None:
            raise ValueError(f"{archive} is not an archive; known are {', '.join(_ARCHIVES)}")
        target = os.path.join(self._files_folder, name)
        if os.path.exists(target):
            raise FileExistsError(f"something of the name {name!r} was added before {archive}")
        with tempfile.TemporaryDirectory() as folder:
            packed = os.path.join(folder, "archive")
            _fetch(archive, packed, recursive=False)
            # What a tar file unpacks stays within its folder (from Python 3.11.4 on).
            shutil.unpack_archive(packed, target, kind, **({} if kind == "zip" else _SAFELY))
        self._ship(name, importable=False)
        self._archives[shown] = None

    @property
    def listArchives(self) -> list[str]:
        """The paths of all added archives, as URIs.

        >>> all(path.startswith("file:/") for path in sc.listArchives)
        True
        """
        return list(self._archives)

    # ---- how -------------------------------------------------------------------------------------

    def _add(self, path: str, recursive: bool, importable: bool) -> str:
        """Copy a file to the folder of files, and give its name there."""
        here = self._session.files_folder
        shown = path if path.startswith(_WEB) else files.name_of(path)
        name = os.path.basename(shown.rstrip("/"))
        if shown not in self._added:
            target = os.path.join(here, name)
            with tempfile.TemporaryDirectory(dir=here, prefix=".") as folder:
                fresh = os.path.join(folder, name)
                _fetch(path, fresh, recursive)
                if not os.path.exists(target):
                    os.rename(fresh, target)
                elif not _same(fresh, target):
                    raise FileExistsError(
                        f"another file of the name {name!r} was added before {path}"
                    )
            self._added[shown] = None
        elif not importable:
            return name
        self._ship(name, importable)
        return name

    def _ship(self, name: str, importable: bool) -> None:
        """Tell the executors of a file or of all files in a folder."""
        whole = os.path.join(self._files_folder, name)
        if not os.path.isdir(whole):
            self._session.add_file(name, importable)
            return
        for folder, _, names in os.walk(whole):
            for each in names:
                inside = os.path.relpath(os.path.join(folder, each), self._files_folder)
                self._session.add_file(inside, importable=False)


def _same(one: str, other: str) -> bool:
    """Whether two files, or two folders with all in them, are equal."""
    if not os.path.isdir(one) or not os.path.isdir(other):
        return not (os.path.isdir(one) or os.path.isdir(other)) and filecmp.cmp(one, other, False)
    compared = filecmp.dircmp(one, other, ignore=[])
    if compared.left_only or compared.right_only or compared.funny_files:
        return False
    return all(_same(os.path.join(one, n), os.path.join(other, n)) for n in compared.common)


def _fetch(path: str, target: str, recursive: bool) -> None:
    """Copy a file, or a folder if `recursive`, from anywhere to a local path."""
    if path.startswith(_WEB):
        from urllib.request import urlopen

        with urlopen(path) as answer, open(target, "wb") as file:
            shutil.copyfileobj(answer, file)
        return
    from pyarrow import fs

    place, inside = files.locate(path)
    info = place.system.get_file_info(inside)
    if info.type == fs.FileType.NotFound:
        raise FileNotFoundError(f"File {place.shown(inside)} does not exist")
    if info.type == fs.FileType.Directory:
        if not recursive:
            raise IsADirectoryError(
                f"{place.shown(inside)} is a folder: add it with addFile(path, recursive=True)"
            )
        _fetch_folder(place, inside, target)
    else:
        with place.system.open_input_stream(inside, compression=None) as source:
            _copy(source, target)


def _fetch_folder(place: files.Place, inside: str, target: str) -> None:
    from pyarrow import fs

    os.makedirs(target)
    for info in place.system.get_file_info(fs.FileSelector(inside)):
        below = os.path.join(target, info.base_name)
        if info.type == fs.FileType.Directory:
            _fetch_folder(place, info.path, below)
        else:
            with place.system.open_input_stream(info.path, compression=None) as source:
                _copy(source, below)


def _copy(source: Any, target: str) -> None:
    with open(target, "wb") as file:
        while chunk := source.read(1 << 20):
            file.write(chunk)
