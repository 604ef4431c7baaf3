"""A second signaling client, written from docs/protocol.md alone; the contract and fault tests use it."""

from .client import Client, RefusedError
from .delivery import Message
from .transport import ClosedError, Kind
from .ulid import ulid

__all__ = ["Client", "ClosedError", "Kind", "Message", "RefusedError", "ulid"]
