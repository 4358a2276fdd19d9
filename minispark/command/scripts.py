"""Run a script in this process as Python itself would."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
import tempfile
import types
from collections.abc import Iterator, Sequence

from minispark.tracebacks import came_from_task, users_frames

_INTERRUPTED = 130  # what a shell makes of a process that Ctrl-C has ended


def fresh_main(path: str | None = None) -> types.ModuleType:
    """A new, empty `__main__`. What a user defines there travels to the executors by value."""
    module = types.ModuleType("__main__")
    if path is not None:
        module.__file__ = path
    sys.modules["__main__"] = module
    return module


def run_script(path: str, arguments: Sequence[str]) -> int:
    """Run a Python file as `python path arguments…` does.

    The script has its own `__main__`, `sys.argv` and `sys.path[0]`. An exception it lets through is
    shown with the script's own traceback, without our frames; if a task raised it, without those of
    the engine too.

    Parameters
    ----------
    path : str
    arguments : sequence of str
        The script's `sys.argv[1:]`.

    Returns
    -------
    int
        The exit code.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    with io.open_code(os.path.abspath(path)) as file:
        source = file.read()
    lead_path_to(os.path.dirname(os.path.realpath(path)))
    sys.argv = [path, *arguments]
    module = fresh_main(path)
    try:
        exec(compile(source, path, "exec", dont_inherit=True), vars(module))
    except SystemExit as ending:
        return _code_of(ending)
    except BaseException as error:  # as the interpreter: whatever it is, it ends the script
        trace = error.__traceback__
        shown = users_frames(error) if came_from_task(error) else trace and trace.tb_next
        sys.excepthook(type(error), error.with_traceback(shown), shown)
        return _INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1
    return 0


def lead_path_to(folder: str) -> None:
    """Put `folder` first on sys.path, where the folder of our own command may be."""
    if sys.path and sys.path[0] == os.path.dirname(os.path.abspath(sys.argv[0])):
        del sys.path[0]
    sys.path.insert(0, folder)


def _code_of(ending: SystemExit) -> int:
    if ending.code is None or isinstance(ending.code, int):
        return ending.code or 0
    print(ending.code, file=sys.stderr)
    return 1


@contextlib.contextmanager
def importable(paths: Sequence[str]) -> Iterator[None]:
    """Let this process import modules (`.py`) and packages (`.zip`, `.egg`) given as files.

    Only these: their neighbours in the same folders would be missing on other machines.

    Raises FileNotFoundError for a file that is not there.
    """
    with tempfile.TemporaryDirectory(prefix="minispark-py-files-") as folder:
        entries = [folder]
        for path in paths:
            if path.endswith(".py"):
                shutil.copy(path, folder)
            elif os.path.exists(path):
                entries.append(os.path.abspath(path))
            else:
                raise FileNotFoundError(2, "No such file or directory", path)
        sys.path[1:1] = entries
        try:
            yield
        finally:
            sys.path[:] = [entry for entry in sys.path if entry not in entries]
