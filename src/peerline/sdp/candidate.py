"""ICE candidates: `a=candidate`, and what RTCIceCandidate carries (RFC 8839, section 5.1; RFC 6544 for TCP)."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from peerline.sdp.errors import SdpError
from peerline.sdp.scan import Words, shown

__all__ = ["Candidate"]

_RFC = "RFC 8839, section 5.1"
_FORM = (
    "candidate:FOUNDATION COMPONENT TRANSPORT PRIORITY ADDRESS PORT typ TYPE [raddr ADDRESS] [rport PORT] [NAME VALUE]…"
)
# It becomes a line of a description: nothing that would end it, and nothing that UTF-8 cannot say.
_NOT_IN_A_LINE = re.compile("[\0\r\n\ud800-\udfff]")


@dataclass(frozen=True)
class Candidate:
    """One address at which a peer may be reached.

    `extensions` are the name-value pairs after the related address, in their order: tcptype, generation, ufrag,
    network-id, network-cost and whatever else was said. What is not known is kept.
    """

    foundation: str
    component: int
    transport: str
    priority: int
    address: str
    port: int
    type: str
    related_address: str | None = None
    related_port: int | None = None
    extensions: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Candidate:
        """Read `candidate:…`, with or without `a=` before it. Raises SdpError."""
        wrong = _NOT_IN_A_LINE.search(text)
        if wrong is not None:
            raise SdpError(f"{shown(wrong.group())} stands in it", rfc=_RFC, hint=_FORM, offset=wrong.start())
        start = text.removeprefix("a=")
        value = start.removeprefix("candidate:")
        skipped = len(text) - len(value)
        words = Words(" " * skipped + value, _RFC, _FORM)
        foundation = words.next("the foundation")
        component = words.number("the component", 256, 1)
        transport = words.next("the transport")
        # RFC 8445 ends at 2^31-1; some implementations fill all 32 bits.
        priority = words.number("the priority", 2**32 - 1)
        address = words.next("the address")
        port = words.number("the port", 65535)
        keyword = words.next("the word typ")
        if keyword != "typ":
            raise words.error(f"{shown(keyword)} stands where typ belongs")
        kind = words.next("the type")
        related: dict[str, str | int] = {}
        extensions: list[tuple[str, str]] = []
        while (name := words.next_or_none()) is not None:
            if name == "raddr" and not extensions and not related:
                related["address"] = words.next("the related address")
            elif name == "rport" and not extensions and "port" not in related:
                related["port"] = words.number("the related port", 65535)
            else:
                extensions.append((name, words.next(f"the value of {shown(name)}")))
        related_address, related_port = related.get("address"), related.get("port")
        assert related_address is None or isinstance(related_address, str)
        assert related_port is None or isinstance(related_port, int)
        return cls(
            foundation, component, transport, priority, address, port, kind,
            related_address, related_port, tuple(extensions),
        )  # fmt: skip

    def __str__(self) -> str:
        """As RTCIceCandidate.candidate has it: `candidate:…`, without `a=`."""
        return f"candidate:{self.value}"

    @property
    def value(self) -> str:
        """What follows `a=candidate:`."""
        words = [
            self.foundation, str(self.component), self.transport, str(self.priority),
            self.address, str(self.port), "typ", self.type,
        ]  # fmt: skip
        if self.related_address is not None:
            words += ["raddr", self.related_address]
        if self.related_port is not None:
            words += ["rport", str(self.related_port)]
        for name, value in self.extensions:
            words += [name, value]
        return " ".join(words)

    @property
    def protocol(self) -> str:
        """`udp` or `tcp`, however it was written."""
        return self.transport.lower()

    @property
    def tcp_type(self) -> str | None:
        """`active`, `passive` or `so`, for TCP."""
        return self.extension("tcptype")

    @property
    def generation(self) -> int | None:
        """How often ICE had been restarted; libwebrtc writes it."""
        return self._number("generation")

    @property
    def ufrag(self) -> str | None:
        """Which ICE generation it belongs to, by its user fragment (RFC 8838, section 4)."""
        return self.extension("ufrag")

    @property
    def network_id(self) -> int | None:
        """libwebrtc's number for the network interface."""
        return self._number("network-id")

    @property
    def network_cost(self) -> int | None:
        """libwebrtc's estimate of what the interface costs, 0 (cable) to 999."""
        return self._number("network-cost")

    @property
    def is_mdns(self) -> bool:
        """The address is a name that hides it (`….local`), to be asked for by multicast DNS."""
        return self.address.lower().endswith(".local")

    @property
    def ip_version(self) -> int | None:
        """4 or 6; None for a name."""
        try:
            return ipaddress.ip_address(self.address).version
        except ValueError:
            return None

    def extension(self, name: str) -> str | None:
        """The value of an extension, or None."""
        return next((value for known, value in self.extensions if known == name), None)

    def _number(self, name: str) -> int | None:
        value = self.extension(name)
        return int(value) if value is not None and value.isascii() and value.isdigit() and len(value) < 10 else None
