"""What a kernel is told besides its rows."""

from __future__ import annotations

from dataclasses import dataclass

from executors.memory import Memory
from executors.spill import Spills


@dataclass(frozen=True, eq=False)
class At:
    """The partition a kernel works on, and where it may put what does not fit."""

    partition: int
    memory: Memory
    spills: Spills
