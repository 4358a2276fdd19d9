"""A job under way as the driver holds it, and what its failure raises."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

from executors import pickling
from executors.blockio import BlockMissing
from executors.ctrl_c import ctrl_c
from executors.runloop import JobHandle
from executors.unpicklable import ClosureError, explain
from executors.user_errors import raise_again
from planner.failures import Cancelled, Failure, UserFailure
from planner.site import call_site
from planner.stages import Stage

_END = (-1, None)


class JobFailed(RuntimeError):
    """A job ended without its answer, and not by an exception of the user's code."""


class JobCancelled(JobFailed):
    """Somebody cancelled the job."""


class ResultLost(Exception):
    """The block that held a partition of the answer is gone: ask for that partition again."""

    def __init__(self, partition: int) -> None:
        super().__init__(f"the result of partition {partition} is gone")
        self.partition = partition


class RunningJob:
    """A job that runs while the caller does something else."""

    def __init__(self, handle: JobHandle, cancel: Callable[[str], None]) -> None:
        self.id = handle.id
        self._cancel = cancel
        self._handle = handle

    @property
    def adapted(self) -> list[Stage]:
        """Its stages that measured sizes changed, as they are since then, in order."""
        return self._handle.adapted

    @property
    def done(self) -> bool:
        """Whether the job has ended, well or not."""
        return self._handle.done

    def next(self, timeout: float | None = None) -> tuple[int, list[Any]] | None:
        """The next partition and its rows; None after `timeout` seconds.

        Raises StopIteration when all came, or what made the job fail.
        """
        try:
            answer = self._handle.next(timeout)
        except StopIteration:
            answer = _END
        if answer is _END:
            self._end()
            raise StopIteration
        if answer is None:
            return None
        try:
            return answer[0], self._handle.rows(answer[1])
        except BlockMissing:
            raise ResultLost(answer[0]) from None

    def next_or_give_up(self) -> tuple[int, list[Any]] | None:
        """`next`; when it fails, or a Ctrl-C ends the waiting, the rest is cancelled."""
        with ctrl_c.held_back():  # but while it waits
            try:
                return self.next()
            except (StopIteration, ResultLost):
                raise
            except BaseException as error:
                self._cancel_for(error)
                raise

    def raw(self) -> Iterator[tuple[int, Any]]:
        """Partitions and the handles of their rows, to the end."""
        while True:
            try:
                answer = self._handle.next()
            except StopIteration:
                break
            if answer is not None:
                yield answer
        self._end()

    def cancel(self, reason: str = "cancelled by the user") -> None:
        """Stop the tasks that still run; answers not taken are dropped."""
        if not self._handle.done:
            self._cancel(reason)
        for result in self._handle.drain():
            self._handle.discard(result)

    def give_up(self, error: BaseException) -> None:
        """`cancel`, because whoever reads the answers met `error`."""
        with ctrl_c.held_back():  # a second Ctrl-C comes after the first has had its effect
            self._cancel_for(error)

    def _cancel_for(self, error: BaseException) -> None:
        self.cancel(f"{type(error).__name__} while its answers were read")

    def _end(self) -> None:
        for warning in self._handle.warnings:
            warnings.warn(warning, RuntimeWarning, stacklevel=5)
        self._handle.warnings.clear()
        if self._handle.failure is not None:
            raise error_of(self._handle.failure)


def error_of(failure: Failure) -> BaseException:
    """The exception a failed job raises on the driver."""
    if isinstance(failure, UserFailure):
        return raise_again(failure)
    if isinstance(failure, Cancelled):
        return JobCancelled(f"the job was cancelled: {failure.message}")
    return JobFailed(failure.message)


def closure_error(stage: Stage, error: BaseException) -> ClosureError:
    """One line that says which variable of which transformation cannot be sent."""
    for step in stage.program:
        pairs = [(getattr(step, "op", None), getattr(step, "site", None))]
        pairs += list(zip(getattr(step, "ops", ()), getattr(step, "sites", ()), strict=True))
        for op, site in pairs:
            if op is None:
                continue
            for value in vars(op).values():
                try:
                    pickling.by_value(value)
                except Exception as reason:  # the one that fails is the one to name
                    place = site if site is not None and site.line else call_site()
                    return ClosureError(f"{explain(value, reason)} [{place}]")
    return ClosureError(f"{error} [{stage.site}]")
