"""How a query's stages may change while they run: what the user's settings ask for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Goals:
    """How large the work of a task shall be, in bytes.

    `tasks` can run at a time: so many there shall be, if each gets `least`; more than `most` is not
    put together. A channel is too large if it has more than `skewed` and `factor` times the median.
    Up to `broadcast` measured bytes a side of a join is sent to everyone (never if negative).
    """

    tasks: int
    least: int = 1 << 20
    most: int = 64 << 20
    skewed: int = 256 << 20
    factor: float = 5.0
    broadcast: int = -1
    merges: bool = True
    splits: bool = True
