"""The packet core. Use `peerline.engine`; this module is its private half.

Every method raises RuntimeError in a process that was forked after the Engine was made.
"""

from collections.abc import Sequence
from typing import Any, Final, final

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
EVENT_TURN_ALLOCATED: Final[int]
"""subject: the handle of a TURN service; detail: allocation, user name."""
EVENT_TURN_FREED: Final[int]
"""subject: the same; detail: allocation, user name, why, (packets up, bytes up, packets down, bytes down)."""
EVENT_TURN_ASKED: Final[int]
"""subject: the same; detail: question, user name. `turn_decide` answers."""
EVENT_TURN_LISTED: Final[int]
"""subject: the token of `turn_list`; detail: a list of tuples, the fields of peerline.engine.AllocationRow."""
EVENT_PEER: Final[int]
"""subject: the handle of a Peer; detail: a method of peerline.engine.transport.TransportListener, its arguments."""
EVENT_QUEUE_CAPACITY: Final[int]
"""So many events can wait; shards keep the rest back."""

def rest_password(secret: bytes, username: str) -> str:
    """The password of a time-limited TURN user name."""

@final
class Engine:
    """Shard threads with their sockets. Any thread may call; only `close` waits."""

    def __new__(cls, shards: int | None = None) -> Engine:
        """ValueError unless shards is 1 to 4096; OSError if threads or descriptors cannot be had."""

    def fileno(self) -> int:
        """A descriptor that is readable while events wait; open as long as this object lives."""

    def drain(self, max: int) -> list[tuple[int, int, Any]]:
        """Up to `max` events, oldest first; also after `close`."""

    def stun_listen(
        self, ip: str, port: int, scope_id: int, answers_per_second: int | None, burst: int
    ) -> tuple[int, str, int]:
        """Handle, address, port. `answers_per_second` None: no limit. OSError with errno, ValueError."""

    def turn_listen(
        self,
        listen: Sequence[tuple[str, str, int]],
        relays: Sequence[tuple[str, str]],
        ports: tuple[int, int],
        settings: object,
        certificate: tuple[bytes, bytes] | None,
    ) -> tuple[list[int], list[tuple[str, str, int]]]:
        """Handles, one of each shard, and real addresses. `settings`: peerline.turnserver.TurnSettings."""

    def turn_recertify(self, handles: Sequence[int], certificate: tuple[bytes, bytes]) -> None:
        """PEM chain and key, for TLS connections that come from now on. ValueError."""

    def turn_reload(self, handles: Sequence[int], settings: object) -> None:
        """For clients that come from now on. ValueError."""

    def turn_drain(self, handles: Sequence[int]) -> None:
        """No new allocations."""

    def turn_list(self, handles: Sequence[int], token: int) -> None:
        """As many EVENT_TURN_LISTED as there are handles."""

    def turn_kick(self, handle: int, allocation: int) -> None:
        """EVENT_TURN_FREED follows, if there is such an allocation."""

    def turn_decide(self, handle: int, question: int, is_allowed: bool) -> None:
        """The answer to EVENT_TURN_ASKED; one that comes too late has no effect."""

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

def ice_credentials() -> tuple[str, str]:
    """New random ones: user fragment and password."""

@final
class Certificate:
    """A certificate with its key."""

    @staticmethod
    def generate(expires_ms: int, curve: str = "P-256") -> Certificate:
        """ValueError for unknown curves."""

    @staticmethod
    def from_pem(certificate: str, key: str) -> Certificate:
        """ValueError unless they belong together."""

    @property
    def der(self) -> bytes: ...
    @property
    def key_der(self) -> bytes: ...
    @property
    def expires_ms(self) -> int: ...
    def fingerprint(self, hash: str = "sha-256") -> str: ...

@final
class Peer:
    """One data path of a peer connection. Every method is a command that is carried out by its shard.

    See peerline.engine.transport.Transport, whose methods they are.
    """

    def __new__(cls, engine: Engine, settings: object) -> Peer: ...
    @property
    def handle(self) -> int: ...
    def gather(self, ips: list[str]) -> None: ...
    def ask_stun(self, ip: str, port: int, url: str) -> None: ...
    def ask_turn(
        self, protocol: str, ip: str, port: int, name: str, username: str, password: str, url: str
    ) -> None: ...
    def asked_all(self) -> None: ...
    def set_remote_credentials(self, ufrag: str, password: str) -> None: ...
    def add_remote_candidate(self, line: str) -> None: ...
    def end_of_remote_candidates(self) -> None: ...
    def set_controlling(self, is_controlling: bool) -> None: ...
    def restart(self, ufrag: str, password: str) -> None: ...
    def abort_restart(self) -> None: ...
    def start_dtls(self, is_client: bool, fingerprints: list[str]) -> None: ...
    def start_sctp(self, local_port: int, remote_port: int, remote_max: int) -> None: ...
    def set_remote_max(self, remote_max: int) -> None: ...
    def open_channel(self, channel: int, settings: object) -> None: ...
    def send_text(self, channel: int, text: str) -> None: ...
    def send_bytes(self, channel: int, bytes: bytes) -> None: ...
    def close_channel(self, channel: int) -> None: ...
    def commit_media(self, plan: object) -> None: ...
    def send_frames(self, section: int, frames: Sequence[tuple[bytes, int, int, int | None, int | None]]) -> None: ...
    def listen(self, section: int, is_listened_to: bool) -> None: ...
    def request_key_frame(self, section: int) -> None: ...
    def stats(self, token: int) -> None: ...
    def close(self) -> None: ...
