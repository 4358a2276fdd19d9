"""How a query's stages may change while they run: what the user's settings ask for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Goals:
    """How large the work of a task shall be, in bytes.

    `tasks` can run at a time: so many there shall be, if each gets `least`; more than `most` is not
    put together. A channel is too large if it has more than `skewed` and `factor` times the median.
    Up to `broadcast` measured bytes a side of a join is sent to everyone (never if negative), and
    up to `stretch` where that is much less than what would move else.
    """

    tasks: int
    least: int = 1 << 20
    most: int = 64 << 20
    skewed: int = 256 << 20
    factor: float = 5.0
    broadcast: int = -1
    stretch: int = 0
    merges: bool = True
    splits: bool = True

    def whole(self, other: float, tasks: int) -> int:
        """Up to how many bytes a side of a join goes to all the tasks of the other side, which has
        so many bytes: what all of them read then is at most half of it.

        >>> Goals(2, broadcast=10, stretch=1000).whole(8000, 20)
        200
        """
        if self.broadcast < 0:
            return -1
        return max(self.broadcast, min(self.stretch, int(other / 2 / max(tasks, 1))))
