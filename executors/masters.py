"""From a master's name to a back end."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable

from executors.inline import InlineExecutors
from executors.local import LocalExecutors
from executors.machine import cores
from executors.protocol import EngineConf, Executors

_NAMES = "local, local[n], local[*], inline[n], ray, ray[n], auto, or host:port of a Ray cluster"


class Master:
    """A master's name taken apart.

    `kind` is inline, local or ray; `slots` the number of executors (0: what the back end finds);
    `failures` how often a task may fail; `address` of a Ray to join, if any.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.address: str | None = None
        self.failures = 1
        cluster = re.fullmatch(r"local-cluster\[\s*(\d+)\s*,\s*(\d+)\s*,\s*\d+\s*\]", name)
        if cluster is not None:  # PySpark's stand-in for a cluster: workers × cores processes
            name = f"local[{int(cluster.group(1)) * int(cluster.group(2))},4]"
        found = re.fullmatch(r"(inline|local|ray)(?:\[(\*|\d+)(?:,\s*(\d+))?\])?", name.strip())
        if found is not None:
            self.kind, slots, failures = found.group(1), found.group(2), found.group(3)
            self.slots = self._slots(slots)
            if failures is not None:
                self.failures = max(1, int(failures))
            elif self.kind == "ray":
                self.failures = 4
        elif name == "auto" or re.fullmatch(r"(ray://)?[\w.\-]+:\d+", name):
            self.kind, self.slots, self.failures, self.address = "ray", 0, 4, name
        else:
            raise ValueError(f"Could not parse Master URL: '{name}'; use {_NAMES}")
        if self.kind == "inline" and self.slots == 0:
            self.slots = 1

    def _slots(self, text: str | None) -> int:
        if text == "*":
            return 0 if self.kind == "ray" else cores()
        if text is None:
            return {"inline": 1, "local": cores(), "ray": 0}[self.kind]
        if int(text) == 0:
            raise ValueError(f"Could not parse Master URL: '{self.name}' asks for no executor")
        return int(text)

    def executors(self, conf: EngineConf) -> Executors:
        """The back end, not started yet."""
        if self.kind == "inline":
            return InlineExecutors(self.slots, conf)
        if self.kind == "local":
            return LocalExecutors(self.slots, conf)
        # Ray costs a second to import, so that back end is loaded by name when it is asked for.
        module = importlib.import_module("executors.ray_backend.executors")
        make: Callable[[int, str | None, EngineConf], Executors] = module.RayExecutors
        return make(self.slots, self.address, conf)
