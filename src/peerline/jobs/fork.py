"""Knows whether this process is still the one that made an object: a fork copies memory, not threads and sockets."""

from __future__ import annotations

import os

from peerline.errors import LoopError

_forks = 0


def _forked() -> None:
    global _forks
    _forks += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


class Birthplace:
    """The process that something belongs to."""

    __slots__ = ("_forks",)

    def __init__(self) -> None:
        self._forks = _forks

    @property
    def is_here(self) -> bool:
        """Whether no fork lies between."""
        return self._forks == _forks

    def check(self, what: str) -> None:
        """Raise LoopError `forked` in a child."""
        if not self.is_here:
            raise LoopError(
                f"{what} belongs to the process that this one was forked from",
                code="forked",
                hint="Make it after the fork, or start processes with multiprocessing's 'spawn'.",
            )
