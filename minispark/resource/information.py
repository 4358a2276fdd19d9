"""A resource that is not a core or memory, under the module name that PySpark programs use."""

from executors.task_context import ResourceInformation

__all__ = ["ResourceInformation"]
