"""The one place where Ray's exceptions become values of ours."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ray import exceptions as ray_errors

from planner.failures import EngineFailure


@dataclass(frozen=True)
class Death:
    """An actor is gone. `node_too`: nothing on its node answers, so its blocks are gone as well."""

    reason: str
    node_too: bool


def death(error: BaseException, who: str, node_alive: bool) -> Death | None:
    """What `error`, got from a call of an actor, says about the actor; None if it lives.

    A killed process is reported by its node, within milliseconds. Where nobody reports and the
    connection is just closed, the node is gone: waiting for Ray to be sure of it takes long.
    """
    if isinstance(error, ray_errors.ActorUnavailableError):
        return Death(f"executor {who} and its node do not answer any more", True)
    if isinstance(error, ray_errors.ActorDiedError):
        if not node_alive:
            return Death(f"executor {who} died with its node", True)
        return Death(f"executor {who} {_how(str(error))}", False)
    if isinstance(error, ray_errors.RayActorError | ray_errors.ActorUnschedulableError):
        return Death(f"executor {who} is lost: {_first_line(error)}", not node_alive)
    if isinstance(error, ray_errors.RuntimeEnvSetupError):
        return Death(f"executor {who} could not be started: {_first_line(error)}", False)
    return None


def missing(error: BaseException) -> str | None:
    """Why an object cannot be had, if `error` says that it is lost for good; else None."""
    lost = ray_errors.ObjectLostError | ray_errors.RayActorError | ray_errors.NodeDiedError
    cause = getattr(error, "cause", None)  # a lost argument comes wrapped as a task's failure
    if isinstance(error, lost):
        return type(error).__name__
    return type(cause).__name__ if isinstance(cause, lost) else None


def answer_failure(error: BaseException) -> EngineFailure:
    """A task that got no answer though its actor lives: its output could not be stored or sent."""
    if isinstance(error, ray_errors.ObjectStoreFullError | ray_errors.OutOfDiskError):
        what = "Ray's object store and its disk are full; give Ray more, or use more partitions"
    else:
        what = _first_line(getattr(error, "cause", None) or error)
    return EngineFailure(f"a task could not hand over its output: {what}", str(error))


def _how(text: str) -> str:
    """How a process ended, in few words, out of Ray's long report."""
    if "NODE_OUT_OF_MEMORY" in text or "low on memory" in text:
        return "was ended by Ray because its node ran out of memory"
    if "error raised in its creation task" in text or "ray.kill" in text:
        return f"ended: {text.strip().splitlines()[-1]}"
    found = re.search(r"Worker exit type: (\w+) Worker exit detail: ([^.]*\.)", text)
    if found is None:
        return f"died: {text.strip().splitlines()[-1]}"
    if found.group(1) == "SYSTEM_ERROR":
        return "died suddenly (killed, crashed in native code, or out of memory)"
    return f"ended: {found.group(2)}"


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}"
