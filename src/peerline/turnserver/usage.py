"""Who has relayed how much: people, not allocations, and a bounded number of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from peerline.engine import AllocationRow

# So many users are remembered with what they have relayed; the one that was active longest ago goes first.
MAX_USERS = 10_000


@dataclass(slots=True)
class Usage:
    """What one user has relayed."""

    running: int = 0
    """Allocations there are."""
    allocations: int = 0
    """Allocations that are over."""
    packets_up: int = 0
    bytes_up: int = 0
    packets_down: int = 0
    bytes_down: int = 0

    def add(self, counted: tuple[int, int, int, int]) -> None:
        """What one allocation has relayed."""
        up, bytes_up, down, bytes_down = counted
        self.packets_up += up
        self.bytes_up += bytes_up
        self.packets_down += down
        self.bytes_down += bytes_down


class UsageBook:
    """What users have relayed with allocations that are over."""

    def __init__(self) -> None:
        self.users: dict[str, Usage] = {}

    def finished(self, username: str, counted: tuple[int, int, int, int]) -> None:
        """An allocation is over."""
        name = account_of(username)
        usage = self.users.pop(name, None) or Usage()
        self.users[name] = usage  # the last one now
        usage.allocations += 1
        usage.add(counted)
        if len(self.users) > MAX_USERS:
            del self.users[next(iter(self.users))]

    def with_running(self, rows: Iterable[AllocationRow]) -> dict[str, Usage]:
        """Together with the allocations there are."""
        total = {
            name: Usage(0, u.allocations, u.packets_up, u.bytes_up, u.packets_down, u.bytes_down)
            for name, u in self.users.items()
        }
        for row in rows:
            usage = total.setdefault(account_of(row.username), Usage())
            usage.running += 1
            usage.add(row.usage)
        return total


def account_of(username: str) -> str:
    """The name without its expiry."""
    expiry, colon, name = username.partition(":")
    return name if colon and expiry.isdecimal() else username
