"""What the tests of bad input share: they read the message, and see that the context goes on."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from minispark import SparkContext

ROOT = str(Path(__file__).resolve().parents[2])


def here() -> str:
    """The file and line of the caller, as messages show them."""
    frame = sys._getframe(1)
    return f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"


def works(sc: SparkContext) -> bool:
    """Whether the context gives answers, from a shuffle too."""
    pairs = sc.parallelize(range(10), 2).map(lambda n: (n % 2, n))
    return sorted(pairs.reduceByKey(lambda a, b: a + b).collect()) == [(0, 20), (1, 25)]


def said(error: BaseException) -> str:
    """All that the user is told: the message and its notes."""
    return "\n".join([str(error), *getattr(error, "__notes__", ())])


@contextmanager
def refused(
    sc: SparkContext, kind: type[BaseException], *words: str
) -> Iterator[pytest.ExceptionInfo[BaseException]]:
    """The block raises `kind` with one line that has all `words`; then the context works."""
    with pytest.raises(kind) as caught:
        yield caught
    assert type(caught.value) is kind, f"{type(caught.value)}: {caught.value}"
    message = said(caught.value)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in message, f"{word!r} is not in: {message}"
    assert works(sc)


def until(happened: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Wait for a condition, and give what it gives."""
    end = time.monotonic() + seconds
    while not (found := happened()):
        if time.monotonic() > end:
            raise AssertionError(f"it did not happen in {seconds} s")
        time.sleep(0.01)
    return found


class Script:
    """A driver of its own: a Python program, run as a user runs it."""

    def __init__(self, folder: Path, text: str, **variables: str) -> None:
        self.path = folder / "script.py"
        self.path.write_text(text)
        self.errors = folder / "stderr"
        with open(self.errors, "w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, str(self.path)],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": ROOT, "PYTHONUNBUFFERED": "1", **variables},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )

    def line(self) -> str:
        """The next line that it prints."""
        assert self.process.stdout is not None
        found = self.process.stdout.readline()
        if not found:
            raise AssertionError(f"the script ended:\n{self.errors.read_text()}")
        return found.rstrip("\n")

    def end(self, seconds: float = 30.0) -> tuple[int, str, str]:
        """Its exit code, what it printed that was not read yet, and all its errors."""
        assert self.process.stdout is not None
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the script did not end:\n{self.errors.read_text()}") from None
        return code, self.process.stdout.read(), self.errors.read_text()

    def kill(self) -> None:
        """End it, if it has not ended."""
        self.process.kill()
        self.process.wait()


def run_script(folder: Path, text: str, **variables: str) -> tuple[int, str, str]:
    """Run a program to its end."""
    return Script(folder, text, **variables).end()
