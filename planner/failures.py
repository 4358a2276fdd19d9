"""Why a task or a job did not end well, as typed values. Back ends translate into these, once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Failure:
    """Base of all failures. `message` is one line for the user."""

    message: str


@dataclass(frozen=True)
class UserFailure(Failure):
    """The user's code raised. `error` is the pickled exception, `traceback` its text without
    engine frames, `site` the transformation it happened in."""

    error: bytes = b""
    traceback: str = ""
    site: str = ""
    retry: bool = True


@dataclass(frozen=True)
class SliceLost(Failure):
    """A map output that a task was told to fetch is not there."""

    exchange: int = -1
    sources: tuple[int, ...] = ()


@dataclass(frozen=True)
class KeptLost(Failure):
    """A kept partition that a task was told to find at its executor is not there."""

    persist: int = -1
    partition: int = -1


@dataclass(frozen=True)
class ExecutorLost(Failure):
    """The executor died under the task."""


@dataclass(frozen=True)
class Cancelled(Failure):
    """Somebody asked for the end of the job."""


@dataclass(frozen=True)
class TooLarge(Failure):
    """A result is over the driver's guard."""


@dataclass(frozen=True)
class EngineFailure(Failure):
    """The engine cannot go on with the job (no executors can be started, a disk is full…)."""

    detail: str = ""
