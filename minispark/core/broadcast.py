"""`Broadcast`, where PySpark has it."""

from minispark.broadcast import Broadcast

__all__ = ["Broadcast"]
