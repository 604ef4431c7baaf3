"""The packet core. Use `peerline.engine`; this module is its private half.

Every method raises RuntimeError in a process that was forked after the Engine was made.
"""

from typing import Final, final

__version__: Final[str]

# Events are tuples (kind, subject, detail).
EVENT_PONGED: Final[int]
"""subject: the token of the ping; detail: its sequence number (int), from 0."""
EVENT_CLOSED: Final[int]
"""subject: a handle that was closed on demand and is stale now; detail: None."""
EVENT_FAILED: Final[int]
"""subject: a handle whose service died of a bug and is stale now; detail: the reason (str)."""
EVENT_SHARD_FAILED: Final[int]
"""subject: the number of a shard that died, with all that lived on it; detail: the reason (str)."""
EVENT_QUEUE_CAPACITY: Final[int]
"""So many events can wait; shards keep the rest back."""

@final
class Engine:
    """Shard threads with their sockets. Any thread may call; only `close` waits."""

    def __new__(cls, shards: int | None = None) -> Engine:
        """ValueError unless shards is 1 to 4096; OSError if threads or descriptors cannot be had."""

    def fileno(self) -> int:
        """A descriptor that is readable while events wait; open as long as this object lives."""

    def drain(self, max: int) -> list[tuple[int, int, int | str | None]]:
        """Up to `max` events, oldest first; also after `close`."""

    def stun_listen(
        self, ip: str, port: int, scope_id: int, answers_per_second: int | None, burst: int
    ) -> tuple[int, str, int]:
        """Handle, address, port. `answers_per_second` None: no limit. OSError with errno, ValueError."""

    def close_handle(self, handle: int) -> None:
        """EVENT_CLOSED follows; a stale handle has no effect."""

    def ping(self, shard: int, token: int, count: int = 1, batch: int = 1) -> None:
        """`count` times EVENT_PONGED from that shard, published `batch` at a time."""

    def stats(self) -> dict[str, int]:
        """One flat record of counters, also after `close`."""

    def close(self) -> None:
        """Ends all threads, closes all sockets, waits for both. Closing again does nothing."""

    @property
    def shards(self) -> int: ...
    @property
    def is_closed(self) -> bool: ...
