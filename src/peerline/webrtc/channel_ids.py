"""Which ids data channels have (RFC 8832, section 6): even ones for the client of DTLS, odd ones for its server."""

from __future__ import annotations

from peerline.errors import OperationError

# Stream 65,535 does not exist.
MAX_ID = 65534


class ChannelIds:
    """Those in use. `limit` is what ids are below: of the association, once it stands."""

    def __init__(self) -> None:
        self.limit = MAX_ID + 1
        self._first: int | None = None
        self._lowest = 0
        self._used: set[int] = set()

    @property
    def is_role_known(self) -> bool:
        """Whether descriptions have said who is the client."""
        return self._first is not None

    def set_role(self, role: str) -> None:
        """ "client", "server", or "unknown"."""
        if role != "unknown":
            self._first = self._lowest = 0 if role == "client" else 1

    def next(self) -> int | None:
        """The lowest free one of our role; None if there is none."""
        assert self._first is not None
        while self._lowest < self.limit:
            number = self._lowest
            self._lowest += 2
            if number not in self._used:
                self._used.add(number)
                return number
        return None

    def take(self, number: int) -> None:
        """One that the applications have agreed on. Raises OperationError if it is taken, or beyond the association."""
        if number in self._used:
            raise OperationError(f"the id {number} is taken")
        if number >= self.limit:
            raise OperationError(f"the id {number} is beyond the {self.limit} streams of the association")
        self._used.add(number)

    def note(self, number: int) -> None:
        """One that the other side has chosen."""
        self._used.add(number)

    def free(self, number: int) -> None:
        """Its channel is gone."""
        self._used.discard(number)
        if self._first is not None and number % 2 == self._first:
            self._lowest = min(self._lowest, number)
