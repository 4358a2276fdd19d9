"""What a running task knows of itself, under the module name that PySpark programs use."""

from executors.task_context import BarrierTaskContext, BarrierTaskInfo, TaskContext

__all__ = ["BarrierTaskContext", "BarrierTaskInfo", "TaskContext"]
