"""Rows sent through a command of the operating system."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from subprocess import PIPE, Popen
from threading import Thread
from typing import IO, Any, Self

from minispark.dataset.core import Core
from minispark.dataset.plans import by_partition
from minispark.errors import PySparkRuntimeError


class _Feeder(Thread):
    """Writes rows to a command while its output is read; keeps the error that stopped it."""

    def __init__(self, rows: Iterator[Any], out: IO[bytes]) -> None:
        super().__init__(name="minispark pipe", daemon=True)
        self._rows = rows
        self._out = out
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            with self._out as out:
                for row in self._rows:
                    out.write((str(row).rstrip("\n") + "\n").encode())
        except BrokenPipeError:
            return  # the command has read what it wants
        except BaseException as error:  # the user's code made the rows: its error is the task's
            self.error = error


@dataclass(frozen=True, slots=True)
class Piped:
    """The lines that a command prints when it gets the rows as lines."""

    command: str
    env: Mapping[str, str]
    check: bool

    def __call__(self, index: int, rows: Iterator[Any]) -> Iterator[str]:
        with Popen(shlex.split(self.command), env=self.env, stdin=PIPE, stdout=PIPE) as process:
            assert process.stdin is not None and process.stdout is not None
            feeder = _Feeder(rows, process.stdin)
            feeder.start()
            try:
                for line in process.stdout:
                    yield line.rstrip(b"\n").decode()
                code = process.wait()
            finally:
                process.kill()  # still alive only where nobody wants the rest
                feeder.join()
        if feeder.error is not None:
            raise feeder.error
        if self.check and code:
            raise PySparkRuntimeError(
                f"Pipe function `{self.command}` exited with error code {code}",
                "PIPE_FUNCTION_EXITED",
            )


class Piping(Core):
    """Commands as transformations."""

    def pipe(
        self, command: str, env: Mapping[str, str] | None = None, checkCode: bool = False
    ) -> Self:
        """The lines that `command` prints when it is given the rows of a partition as lines.

        Parameters
        ----------
        command : str
            Split as a shell would; no shell runs it.
        env : dict, optional
            The whole environment of the command; it is empty without.
        checkCode : bool
            Fail the task if the command's exit code is not zero.

        Raises
        ------
        RuntimeError
            In the task: the command failed and `checkCode` is set.

        Examples
        --------
        >>> sc.parallelize(["b", "a"], 1).pipe("sort").collect()
        ['a', 'b']
        """
        return self._derive(by_partition(self._node, Piped(command, dict(env or {}), checkCode)))
