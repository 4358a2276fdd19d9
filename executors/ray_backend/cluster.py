"""Getting hold of a Ray cluster: one started here, one joined, or the one this process has."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import ray
from ray import _raylet

from executors.machine import cores
from executors.ray_backend.blocks import INLINED
from executors.session_folder import memory_root, sweep

log = logging.getLogger("minispark")

HASH_SEED = "0"
_LEAST_STORE = 80 << 20  # bytes; Ray takes no less
_inherited: dict[str, str] | None = None  # what workers of the Ray started here have inherited
_AUTH_NOTICE = "ray._private.authentication.authentication_token_setup"


class RayFailed(RuntimeError):
    """Ray cannot be started or joined."""


class RayCluster:
    """The cluster to work on.

    Parameters
    ----------
    slots : int
        CPUs for a Ray started here; 0 for the cores of this machine.
    address : str or None
        `auto`, `host:port` or `ray://host:port` to join; None to use the Ray that this process is
        connected to, or the one RAY_ADDRESS names, else to start one.
    environment : mapping of str to str
        More variables for the workers' processes.
    spills : str or None
        Folder for what does not fit into the object store of a Ray started here.

    Raises RayFailed.
    """

    def __init__(
        self,
        slots: int,
        address: str | None,
        environment: Mapping[str, str],
        spills: str | None = None,
    ) -> None:
        self.environment = worker_environment(environment)
        self.started = False  # whether the processes of Ray are ours to end
        self._joined = False
        self._session_dir: str | None = None
        began = time.monotonic()
        address = address or os.environ.get("RAY_ADDRESS") or None
        if ray.is_initialized():
            self._reuse(address)
            return
        if address is None:
            log.info("starting Ray on this machine (this takes a few seconds) …")
            self._start(slots or cores(), spills)
        else:
            log.info("joining the Ray cluster at %s …", address)
            self._join(address)
        log.info("Ray is ready after %.1f s", time.monotonic() - began)

    # ---- ways to get one -----------------------------------------------------------------------

    def _reuse(self, address: str | None) -> None:
        here = ray.get_runtime_context().gcs_address
        if address not in (None, "auto", here):
            raise RayFailed(
                f"this process is connected to the Ray at {here} already: call ray.shutdown() "
                f"before you use the one at {address}"
            )

    def _start(self, cpus: int, spills: str | None) -> None:
        store, folder = _object_store()
        try:
            with _environment(self.environment), _quiet(_AUTH_NOTICE):
                context = ray.init(
                    address="local",
                    num_cpus=cpus,
                    object_store_memory=store,
                    include_dashboard=False,
                    log_to_driver=True,
                    logging_level=logging.WARNING,
                    object_spilling_directory=spills,
                    _plasma_directory=folder,
                )
        except Exception as error:  # Ray raises almost anything when a part of it does not come up
            ray.shutdown()
            raise RayFailed(
                f"Ray could not be started on this machine: {_last_line(error)}"
            ) from error
        # While it started, Ray read the workers' settings here too. This process is to have its
        # own again, or orders over a few KB would go through the object store.
        _raylet.Config.initialize("")  # type: ignore[attr-defined]
        global _inherited
        _inherited = self.environment
        self.started = self._joined = True
        self._session_dir = context.address_info["session_dir"]

    def _join(self, address: str) -> None:
        try:
            if address != "auto":
                _knock(address)
            with _quiet(_AUTH_NOTICE):
                ray.init(address=address, log_to_driver=True, logging_level=logging.WARNING)
        except Exception as error:  # as above
            message = f"no Ray cluster could be joined at {address}: {_last_line(error)}"
            raise RayFailed(message) from error
        self._joined = True

    # ---- what it has ---------------------------------------------------------------------------

    def runtime_env(self) -> dict[str, Any] | None:
        """What Ray must give our workers' processes, if they do not inherit it from us."""
        return None if _inherited == self.environment else {"env_vars": self.environment}

    def cpus(self, without: frozenset[str] | set[str] = frozenset()) -> int:
        """CPUs of the nodes that are alive, and not among those known to be gone."""
        return sum(
            int(node["Resources"].get("CPU", 0))
            for node in ray.nodes()
            if node["Alive"] and node["NodeID"] not in without
        )

    def memory_for_each(self) -> int:
        """Bytes that one executor of each CPU may take: six tenths of what Ray counts as free."""
        total = ray.cluster_resources()
        return int(total.get("memory", 0) * 0.6 / max(1, total.get("CPU", 1)))

    def is_alive(self, node: str | None) -> bool:
        """Whether Ray holds this node to be alive; it notices a sudden end late."""
        return any(each["NodeID"] == node and each["Alive"] for each in ray.nodes())

    def close(self) -> None:
        """Leave the cluster; end it and its files if it was started here."""
        global _inherited
        if self._joined and ray.is_initialized():
            ray.shutdown()
        if self.started:
            _inherited = None
        if self._session_dir is not None:
            _remove_session(self._session_dir)
        for root in {memory_root(), tempfile.gettempdir()}:
            sweep(root)  # folders of actors on this machine that could not clean up


def _remove_session(folder: str) -> None:
    """Remove the logs of a Ray session that has ended, and Ray's link to them."""
    latest = os.path.join(os.path.dirname(folder), "session_latest")
    if os.path.realpath(latest) == os.path.realpath(folder):
        os.unlink(latest)  # Ray would never replace one that leads nowhere
    shutil.rmtree(folder, ignore_errors=True)


def worker_environment(more: Mapping[str, str]) -> dict[str, str]:
    """The environment that workers need from the start of their process, and `more`.

    Equal keys must have equal hashes everywhere; small return values must not go through the
    driver; the engine must be importable.
    """
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {
        **more,
        "PYTHONHASHSEED": HASH_SEED,
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
        "RAY_max_direct_call_object_size": str(INLINED),
        "RAY_USAGE_STATS_ENABLED": "0",
    }


def _knock(address: str) -> None:
    """Raise OSError if nobody listens at `host:port`: Ray itself would try for many minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    socket.create_connection((host, int(port)), timeout=5).close()


def _object_store() -> tuple[int, str | None]:
    """Bytes for the object store, three tenths of the free memory, and its folder if not the usual.

    The usual one is /dev/shm, which is tiny in many containers.
    """
    wanted = max(_LEAST_STORE, _free_memory() * 3 // 10)
    try:
        space = os.statvfs("/dev/shm")
    except FileNotFoundError:  # not Linux: Ray knows where
        return wanted, None
    room = space.f_bavail * space.f_frsize * 9 // 10
    if room >= _LEAST_STORE:
        return min(wanted, room), None
    log.info("/dev/shm has no room for Ray's object store: it goes to the temporary folder")
    return wanted, tempfile.gettempdir()


def _free_memory() -> int:
    try:
        with open("/proc/meminfo") as file:
            fields = dict(line.split(":", 1) for line in file)
        return int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError):  # not Linux
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set variables for the processes that are started meanwhile."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Keep a logger's warnings back: Ray says at each start that it asks for its token."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _last_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1] if lines else type(error).__name__
