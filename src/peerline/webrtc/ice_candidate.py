"""RTCIceCandidate and RTCIceCandidatePair (W3C WebRTC, sections 4.8.1 and 5.6.3)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from peerline.sdp import Candidate, SdpError
from peerline.webrtc.dictionary import Dictionary, Member
from peerline.webrtc.webidl import dom_string, enumeration, nullable, unsigned_short, usv_string

RTCIceServerTransportProtocol = enumeration("udp", "tcp", "tls")

_COMPONENTS = {1: "rtp", 2: "rtcp"}
_PROTOCOLS = ("udp", "tcp")
_TYPES = ("host", "srflx", "prflx", "relay")
_TCP_TYPES = ("active", "passive", "so")


def _none() -> None:
    return None


class RTCIceCandidateInit(Dictionary):
    """What is told to the other side of a candidate."""

    candidate = Member(dom_string, default=str)
    sdpMid = Member(nullable(dom_string), default=_none)
    sdpMLineIndex = Member(nullable(unsigned_short), default=_none)
    usernameFragment = Member(nullable(dom_string), default=_none)


class RTCLocalIceCandidateInit(RTCIceCandidateInit):
    """What is known of one of our own beside it."""

    relayProtocol = Member(nullable(RTCIceServerTransportProtocol), default=_none)
    url = Member(nullable(usv_string), default=_none)


class RTCIceCandidate:
    """An address at which a peer may be reached: `RTCIceCandidate({"candidate": "candidate:…", "sdpMid": "0"})`.

    An empty `candidate` says that there are no more. The attributes from `foundation` to `relatedPort` are read from
    the line; all are None if it cannot be read, which is no error here. Raises TypeError if it says neither `sdpMid`
    nor `sdpMLineIndex`.
    """

    __slots__ = ("__weakref__", "_init", "_parsed")

    def __init__(
        self,
        candidateInitDict: Mapping[str, Any] | object | None = None,
        /,
        *,
        candidate: str | None = None,
        sdpMid: str | None = None,
        sdpMLineIndex: int | None = None,
        usernameFragment: str | None = None,
        relayProtocol: str | None = None,
        url: str | None = None,
    ) -> None:
        init = RTCLocalIceCandidateInit(
            candidateInitDict,
            candidate=candidate,
            sdpMid=sdpMid,
            sdpMLineIndex=sdpMLineIndex,
            usernameFragment=usernameFragment,
            relayProtocol=relayProtocol,
            url=url,
        )
        if init.sdpMid is None and init.sdpMLineIndex is None:
            raise TypeError("an RTCIceCandidate needs sdpMid or sdpMLineIndex")
        self._init = init
        self._parsed = parse_candidate(init.candidate)

    @classmethod
    def _made(cls, init: RTCLocalIceCandidateInit, parsed: Candidate | None) -> RTCIceCandidate:
        """One of the implementation's own: it may say nothing of its section (a peer-reflexive one)."""
        made = cls.__new__(cls)
        made._init, made._parsed = init, parsed
        return made

    @classmethod
    def _of_line(
        cls, line: str, mid: str | None, index: int | None, ufrag: str | None, url: str | None = None
    ) -> RTCIceCandidate:
        """One of a description, or of the engine: there is nothing to convert."""
        init = RTCLocalIceCandidateInit.__new__(RTCLocalIceCandidateInit)
        dict.update(
            init, candidate=line, sdpMid=mid, sdpMLineIndex=index, usernameFragment=ufrag, relayProtocol=None, url=url
        )
        return cls._made(init, parse_candidate(line))

    @property
    def candidate(self) -> str:
        """The line, "candidate:…"; "" at the end of a generation, and for a peer-reflexive one of the other side."""
        return self._init.candidate

    @property
    def sdpMid(self) -> str | None:
        """The media section it belongs to, by its mid."""
        return self._init.sdpMid

    @property
    def sdpMLineIndex(self) -> int | None:
        """The media section it belongs to, by its place from 0."""
        return self._init.sdpMLineIndex

    @property
    def usernameFragment(self) -> str | None:
        """The generation it belongs to, by its a=ice-ufrag."""
        return self._init.usernameFragment

    @property
    def relayProtocol(self) -> str | None:
        """How we speak to the TURN server of a relay candidate of our own: "udp", "tcp" or "tls"."""
        return self._init.relayProtocol

    @property
    def url(self) -> str | None:
        """The server that a server-reflexive or relay candidate of our own came from."""
        return self._init.url

    @property
    def foundation(self) -> str | None:
        """Equal for candidates of one kind, base and server."""
        return None if self._parsed is None else self._parsed.foundation

    @property
    def component(self) -> str | None:
        """ "rtp" or "rtcp"."""
        return None if self._parsed is None else _COMPONENTS[self._parsed.component]

    @property
    def priority(self) -> int | None:
        """Higher ones are tried earlier."""
        return None if self._parsed is None else self._parsed.priority

    @property
    def address(self) -> str | None:
        """IP address or name."""
        return None if self._parsed is None else self._parsed.address

    @property
    def protocol(self) -> str | None:
        """ "udp" or "tcp"."""
        return None if self._parsed is None else self._parsed.protocol

    @property
    def port(self) -> int | None:
        """Port."""
        return None if self._parsed is None else self._parsed.port

    @property
    def type(self) -> str | None:
        """ "host", "srflx", "prflx" or "relay"."""
        return None if self._parsed is None else self._parsed.type

    @property
    def tcpType(self) -> str | None:
        """ "active", "passive" or "so", with TCP."""
        if self._parsed is None or self._parsed.protocol != "tcp":
            return None
        return self._parsed.tcp_type

    @property
    def relatedAddress(self) -> str | None:
        """The address of ours behind a reflexive or relay candidate."""
        return None if self._parsed is None else self._parsed.related_address

    @property
    def relatedPort(self) -> int | None:
        """The port of it."""
        return None if self._parsed is None else self._parsed.related_port

    def toJSON(self) -> dict[str, Any]:
        """What the other side is to be told, as a dictionary for `json.dumps`."""
        return {name: self._init[name] for name in ("candidate", "sdpMid", "sdpMLineIndex", "usernameFragment")}

    def __repr__(self) -> str:
        place = f"sdpMid={self.sdpMid!r}" if self.sdpMid is not None else f"sdpMLineIndex={self.sdpMLineIndex!r}"
        return f"<RTCIceCandidate {self.candidate or 'end of candidates'!r} {place}>"


class RTCIceCandidatePair:
    """Two candidates between which packets go."""

    __slots__ = ("__weakref__", "_local", "_remote")

    _local: RTCIceCandidate
    _remote: RTCIceCandidate

    def __init__(self) -> None:
        raise TypeError("RTCIceCandidatePair has no constructor: getSelectedCandidatePair() gives one")

    @classmethod
    def _made(cls, local: RTCIceCandidate, remote: RTCIceCandidate) -> RTCIceCandidatePair:
        made = cls.__new__(cls)
        made._local, made._remote = local, remote
        return made

    @property
    def local(self) -> RTCIceCandidate:
        """Ours."""
        return self._local

    @property
    def remote(self) -> RTCIceCandidate:
        """The other side's."""
        return self._remote

    def __repr__(self) -> str:
        return (
            f"<RTCIceCandidatePair {self._local.address}:{self._local.port} {self._remote.address}:{self._remote.port}>"
        )


@lru_cache(maxsize=256)
def parse_candidate(line: str) -> Candidate | None:
    """The parts of a line, if it has all of them and W3C has a word for each. Each line is met several times: found,
    told, paired."""
    if not line:
        return None
    try:
        parsed = Candidate.parse(line)
    except SdpError:
        return None
    is_known = (
        parsed.component in _COMPONENTS
        and parsed.protocol in _PROTOCOLS
        and parsed.type in _TYPES
        and (parsed.protocol != "tcp" or parsed.tcp_type in _TCP_TYPES)
    )
    return parsed if is_known else None
