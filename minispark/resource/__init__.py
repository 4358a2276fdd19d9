"""What executors and tasks are given besides rows: cores, memory, GPUs."""

from minispark.resource.information import ResourceInformation
from minispark.resource.profile import ResourceProfile, ResourceProfileBuilder
from minispark.resource.requests import (
    ExecutorResourceRequest,
    ExecutorResourceRequests,
    TaskResourceRequest,
    TaskResourceRequests,
)

__all__ = [
    "ExecutorResourceRequest",
    "ExecutorResourceRequests",
    "ResourceInformation",
    "ResourceProfile",
    "ResourceProfileBuilder",
    "TaskResourceRequest",
    "TaskResourceRequests",
]
