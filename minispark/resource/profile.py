"""Resources that the tasks of a dataset ask for."""

from __future__ import annotations

import itertools
from typing import Any, Self

from minispark.resource.requests import (
    ExecutorResourceRequest,
    ExecutorResourceRequests,
    TaskResourceRequest,
    TaskResourceRequests,
)

_ids = itertools.count(1)  # 0 is the profile of datasets that have none


class ResourceProfile:
    """What a dataset's tasks and their executors should be given; made by ResourceProfileBuilder.

    Examples
    --------
    >>> profile = ResourceProfileBuilder().require(TaskResourceRequests().cpus(2)).build
    >>> sc.range(3).withResources(profile).getResourceProfile().taskResources["cpus"].amount
    2.0
    """

    def __init__(
        self,
        _java_resource_profile: Any = None,
        _exec_req: dict[str, ExecutorResourceRequest] | None = None,
        _task_req: dict[str, TaskResourceRequest] | None = None,
    ) -> None:
        self._id = next(_ids)
        self._executor_resource_requests = dict(_exec_req or {})
        self._task_resource_requests = dict(_task_req or {})

    @property
    def id(self) -> int:
        """A number that no other profile has.

        >>> ResourceProfileBuilder().build.id > 0
        True
        """
        return self._id

    @property
    def taskResources(self) -> dict[str, TaskResourceRequest]:
        """What a task asks for, by name.

        >>> ResourceProfileBuilder().build.taskResources
        {}
        """
        return self._task_resource_requests

    @property
    def executorResources(self) -> dict[str, ExecutorResourceRequest]:
        """What an executor asks for, by name.

        >>> ResourceProfileBuilder().build.executorResources
        {}
        """
        return self._executor_resource_requests


class ResourceProfileBuilder:
    """Puts a ResourceProfile together.

    Examples
    --------
    >>> builder = ResourceProfileBuilder()
    >>> profile = builder.require(ExecutorResourceRequests().cores(4)).build
    >>> profile.executorResources["cores"].amount
    4
    """

    def __init__(self) -> None:
        self._executor_resource_requests: dict[str, ExecutorResourceRequest] = {}
        self._task_resource_requests: dict[str, TaskResourceRequest] = {}

    def require(self, resourceRequest: ExecutorResourceRequests | TaskResourceRequests) -> Self:
        """Add requests; a later one for the same resource counts.

        Raises
        ------
        TypeError
            That is not a set of requests.

        Examples
        --------
        >>> wanted = TaskResourceRequests().cpus(2)
        >>> ResourceProfileBuilder().require(wanted).taskResources["cpus"].amount
        2.0
        """
        if isinstance(resourceRequest, TaskResourceRequests):
            self._task_resource_requests.update(resourceRequest.requests)
        elif isinstance(resourceRequest, ExecutorResourceRequests):
            self._executor_resource_requests.update(resourceRequest.requests)
        else:
            raise TypeError(
                "require() takes ExecutorResourceRequests or TaskResourceRequests, not "
                f"{type(resourceRequest).__name__}"
            )
        return self

    def clearExecutorResourceRequests(self) -> None:
        """Forget what executors should be given.

        >>> builder = ResourceProfileBuilder().require(ExecutorResourceRequests().cores(4))
        >>> builder.clearExecutorResourceRequests()
        >>> builder.executorResources
        {}
        """
        self._executor_resource_requests = {}

    def clearTaskResourceRequests(self) -> None:
        """Forget what tasks should be given.

        >>> builder = ResourceProfileBuilder().require(TaskResourceRequests().cpus(2))
        >>> builder.clearTaskResourceRequests()
        >>> builder.taskResources
        {}
        """
        self._task_resource_requests = {}

    @property
    def taskResources(self) -> dict[str, TaskResourceRequest]:
        """What a task asks for so far, by name.

        >>> ResourceProfileBuilder().taskResources
        {}
        """
        return self._task_resource_requests

    @property
    def executorResources(self) -> dict[str, ExecutorResourceRequest]:
        """What an executor asks for so far, by name.

        >>> ResourceProfileBuilder().executorResources
        {}
        """
        return self._executor_resource_requests

    @property
    def build(self) -> ResourceProfile:
        """The profile.

        >>> ResourceProfileBuilder().build.taskResources
        {}
        """
        return ResourceProfile(
            _exec_req=self._executor_resource_requests, _task_req=self._task_resource_requests
        )
