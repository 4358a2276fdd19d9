"""Progress on a terminal: one line, drawn anew, for the stages that run."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import TextIO

from planner import events as ev

_WIDTH = 24
_PAUSE = 0.1  # seconds between two drawings


@dataclass
class _Bar:
    name: str
    width: int
    total: int
    done: int = 0
    running: int = 0


class Progress:
    """A listener that draws `stage 3 reduceByKey [====>    ] 12/40` on `out`.

    Nothing is drawn for what takes less than `after` seconds.
    """

    def __init__(self, out: TextIO | None = None, after: float = 0.5) -> None:
        self.out = out or sys.stderr
        self.after = after
        self._bars: dict[int, _Bar] = {}
        self._began = time.monotonic()
        self._drawn = 0.0
        self._shown = 0

    def on_event(self, notice: ev.Notice) -> None:
        """See executors/runloop.py Listener."""
        if isinstance(notice, ev.JobStarted):
            if not self._bars:
                self._began = time.monotonic()
        elif isinstance(notice, ev.StageStarted):
            bar = self._bars.setdefault(notice.stage, _Bar(notice.name, notice.width, 0))
            bar.total += len(notice.partitions)
        elif isinstance(notice, ev.TaskStarted) and notice.task.stage in self._bars:
            self._bars[notice.task.stage].running += 1
        elif isinstance(notice, ev.TaskEnded) and notice.task.stage in self._bars:
            bar = self._bars[notice.task.stage]
            bar.running -= 1
            bar.done += notice.failure is None and notice.counted
        elif isinstance(notice, ev.ExecutorRemoved):
            self._say(f"!! {notice.reason}")
        elif isinstance(notice, ev.StageEnded):
            self._bars.pop(notice.stage, None)
        elif isinstance(notice, ev.JobEnded):
            self._bars.clear()
            self._clear()
            return
        self._draw()

    def _draw(self) -> None:
        now = time.monotonic()
        if now - self._began < self.after or now - self._drawn < _PAUSE or not self._bars:
            return
        self._drawn = now
        stage, bar = next(reversed(self._bars.items()))
        filled = _WIDTH * bar.done // max(1, bar.total)
        line = f"stage {stage} {bar.name} [{'=' * filled}{' ' * (_WIDTH - filled)}]"
        line += f" {bar.done}/{bar.total}, {bar.running} running"
        self.out.write("\r" + line.ljust(self._shown))
        self.out.flush()
        self._shown = len(line)

    def _say(self, line: str) -> None:
        self._clear()
        self.out.write(line + "\n")
        self.out.flush()

    def _clear(self) -> None:
        if self._shown:
            self.out.write("\r" + " " * self._shown + "\r")
            self.out.flush()
            self._shown = 0
