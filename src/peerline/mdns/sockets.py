"""The link: questions to the multicast groups of both families on every interface, and what comes back.

A question from any other port than 5353 is answered to that port (RFC 6762, sections 5.1 and 6.7); browsers answer to
the group all the same, so 5353 is listened on, too. It is bound at the address of the group alone: what is sent to this
host itself is left to whoever else answers here.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
import sys
from collections.abc import Callable

_log = logging.getLogger(__name__)

PORT = 5353
GROUP_V4, GROUP_V6 = "224.0.0.251", "ff02::fb"
_MAX_MESSAGE_BYTES = 9000
_MAX_INTERFACES = 64
# So many datagrams are read before the loop's other callbacks have their turn.
_READS = 32

OnDatagram = Callable[[bytes, bool], None]
"""Called with what came, and whether it came to us alone."""


class MulticastLink:
    """Open sockets on the link, until `close`. An interface or a family that does not work is left out."""

    def __init__(self, loop: asyncio.AbstractEventLoop, on_datagram: OnDatagram) -> None:
        self._loop = loop
        self._on_datagram = on_datagram
        self._sockets: list[socket.socket] = []
        self._askers: list[socket.socket] = []
        interfaces = [index for index, _ in socket.if_nameindex()][:_MAX_INTERFACES]
        self._interfaces = interfaces
        for family in (socket.AF_INET, socket.AF_INET6):
            with contextlib.suppress(OSError):
                self._askers.append(self._open(family, ("", 0), is_own=True))
        with contextlib.suppress(OSError):
            self._listen_v4(interfaces)
        for index in interfaces:
            with contextlib.suppress(OSError):
                self._listen_v6(index)

    def ask(self, message: bytes) -> None:
        """Send it to the groups on every interface. Where there is no way, nothing is sent."""
        for asker in self._askers:
            for index in self._interfaces:
                # Interfaces that are down, without addresses, or without multicast say so here.
                with contextlib.suppress(OSError):
                    if asker.family == socket.AF_INET:
                        choice = struct.pack("=4s4si", bytes(4), bytes(4), index)
                        asker.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, choice)
                        asker.sendto(message, (GROUP_V4, PORT))
                    else:
                        asker.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
                        asker.sendto(message, (GROUP_V6, PORT, 0, index))

    def close(self) -> None:
        """Closing again does nothing."""
        for one in self._sockets:
            if not self._loop.is_closed():
                self._loop.remove_reader(one)
            one.close()
        self._sockets.clear()
        self._askers.clear()

    def _listen_v4(self, interfaces: list[int]) -> None:
        listener = self._open(socket.AF_INET, (GROUP_V4, PORT), is_own=False)
        for index in interfaces:
            request = struct.pack("=4s4si", socket.inet_aton(GROUP_V4), bytes(4), index)
            with contextlib.suppress(OSError):
                listener.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)

    def _listen_v6(self, index: int) -> None:
        listener = self._open(socket.AF_INET6, (GROUP_V6, PORT, 0, index), is_own=False)
        request = socket.inet_pton(socket.AF_INET6, GROUP_V6) + struct.pack("@I", index)
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, request)

    def _open(self, family: socket.AddressFamily, address: tuple[str | int, ...], *, is_own: bool) -> socket.socket:
        one = socket.socket(family, socket.SOCK_DGRAM)
        try:
            one.setblocking(False)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if not is_own:
                # Everybody who speaks multicast DNS shares the port (RFC 6762, section 15.1).
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if sys.platform != "linux" and hasattr(socket, "SO_REUSEPORT"):
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            one.bind(address)
            self._loop.add_reader(one, self._read, one, is_own)
        except BaseException:
            one.close()
            raise
        self._sockets.append(one)
        return one

    def _read(self, one: socket.socket, is_own: bool) -> None:
        for _ in range(_READS):
            try:
                message = one.recv(_MAX_MESSAGE_BYTES + 1)
            except OSError:
                return
            try:
                self._on_datagram(message, is_own)
            except Exception:
                _log.exception("an answer of multicast DNS could not be handled")
            if one.fileno() < 0:
                return  # the answer was the last one that anybody waited for
