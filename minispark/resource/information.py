"""A resource that is not a core or memory: GPUs, say."""

from __future__ import annotations


class ResourceInformation:
    """A kind of resource and the addresses of those that can be used.

    Parameters
    ----------
    name : str
        The kind: "gpu", say.
    addresses : list of str
        What they are called: the indices of GPUs, say.

    Examples
    --------
    >>> ResourceInformation("gpu", ["0", "1"]).addresses
    ['0', '1']
    """

    def __init__(self, name: str, addresses: list[str]) -> None:
        self._name = name
        self._addresses = addresses

    @property
    def name(self) -> str:
        """The kind of resource.

        >>> ResourceInformation("gpu", ["0"]).name
        'gpu'
        """
        return self._name

    @property
    def addresses(self) -> list[str]:
        """What they are called.

        >>> ResourceInformation("gpu", ["0"]).addresses
        ['0']
        """
        return self._addresses

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ResourceInformation):
            return NotImplemented
        return (self._name, self._addresses) == (other._name, other._addresses)

    def __hash__(self) -> int:
        return hash((self._name, tuple(self._addresses)))

    def __repr__(self) -> str:
        return f"ResourceInformation({self._name!r}, {self._addresses!r})"
