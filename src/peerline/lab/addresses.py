"""Who gets which address: the public ones are those of documentation (RFC 5737), a LAN's are private (RFC 1918)."""

from __future__ import annotations

from peerline.lab.errors import LabError

PREFIX = 24
LAST = 253
NOWHERE = "203.0.113.254"  # the way to all other addresses; nothing comes back from there


class Addresses:
    """Gives out addresses, in the order of asking: the same program gets the same ones in every run."""

    def __init__(self) -> None:
        self._public = 0
        self._lans = 0

    def public(self) -> str:
        """The next one of the internet, 203.0.113.0/24. Raises LabError when all are given out."""
        self._public = _next(self._public, "public addresses")
        return f"203.0.113.{self._public}"

    def lan(self) -> LanAddresses:
        """The next LAN, 10.1.0.0/24 and so on."""
        self._lans = _next(self._lans, "LANs")
        return LanAddresses(self._lans)


class LanAddresses:
    """Addresses of one LAN: its router's is the first."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.router = f"10.{number}.0.1"
        self._hosts = 1

    def host(self) -> str:
        """The next host's. Raises LabError when all are given out."""
        self._hosts = _next(self._hosts, "addresses in this LAN")
        return f"10.{self.number}.0.{self._hosts}"

    def __contains__(self, address: str) -> bool:
        return address.startswith(f"10.{self.number}.0.")


def _next(last: int, what: str) -> int:
    if last >= LAST:
        raise LabError(f"the lab has no more {what}", code="lab_full", hint=f"There are {LAST}.")
    return last + 1
