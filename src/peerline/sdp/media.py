"""A media section: an `m=` line and what follows it (RFC 8866, section 5.14; RFC 9429, section 5.2)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from peerline.sdp.candidate import Candidate
from peerline.sdp.codec import STATIC_PAYLOAD_TYPES, Codec, Feedback, RtpMap
from peerline.sdp.errors import SdpError
from peerline.sdp.fmtp import Fmtp
from peerline.sdp.line import Line
from peerline.sdp.once import once
from peerline.sdp.rtp_attributes import MediaStreamId, Source, SourceGroup
from peerline.sdp.scan import Words, number, shown
from peerline.sdp.section import Section
from peerline.sdp.simulcast import Rid, Simulcast
from peerline.sdp.transport_attributes import Rtcp

__all__ = ["MediaSection"]

_FORM = "m=MEDIUM PORT PROTOCOL FORMAT…"
# RFC 8841, section 6.1: what holds where nothing is said.
DEFAULT_MAX_MESSAGE_SIZE = 65536


@dataclass(frozen=True)
class _MLine:
    kind: str
    port: int
    port_count: int | None
    protocol: str
    formats: tuple[str, ...]


def _read_m_line(value: str) -> _MLine:
    words = Words(value, "RFC 8866, section 5.14", _FORM)
    kind = words.next("the medium")
    port, slash, count = words.next("the port").partition("/")
    at: dict[str, Any] = {"rfc": words.rfc, "form": _FORM, "offset": words.offset}
    port_number = number(port, "the port", 65535, **at)
    ports = number(count, "how many ports", 65535, least=1, **at) if slash else None
    protocol = words.next("the protocol")
    formats = []
    while (name := words.next_or_none()) is not None:
        if "RTP/" in protocol and not (name.isascii() and name.isdigit() and len(name) <= 3 and int(name) <= 127):
            raise words.error(f"{shown(name)} is no payload type")
        formats.append(name)
    if not formats:
        raise words.error("a format is missing", offset=len(value))
    return _MLine(kind, port_number, ports, protocol, tuple(formats))


# Those of browsers repeat; longer ones are nobody's.
_read_shared_m_line = lru_cache(maxsize=256)(_read_m_line)


@dataclass(frozen=True)
class MediaSection(Section):
    """Audio, video or data: `lines[0]` is the `m=` line."""

    @once
    def _m(self) -> _MLine:
        line = self.lines[0]
        try:
            return (_read_shared_m_line if len(line.value) < 200 else _read_m_line)(line.value)
        except SdpError as error:
            raise error.at(line.number, 2) from None

    @property
    def kind(self) -> str:
        """`audio`, `video`, `application` …"""
        return self._m.kind

    @property
    def port(self) -> int:
        """9 (discard) before ICE knows one; 0 for a section that is rejected, or bundle-only."""
        return self._m.port

    @property
    def port_count(self) -> int | None:
        """The number after the port's slash, where there is one."""
        return self._m.port_count

    @property
    def protocol(self) -> str:
        """For example `UDP/TLS/RTP/SAVPF`, `UDP/DTLS/SCTP`."""
        return self._m.protocol

    @property
    def formats(self) -> tuple[str, ...]:
        """Payload types in the order of preference, or `webrtc-datachannel`."""
        return self._m.formats

    @property
    def is_rtp(self) -> bool:
        """Whether packets of RTP flow, and not data channels."""
        return "RTP/" in self.protocol

    @property
    def is_bundle_only(self) -> bool:
        """It has a transport only if it can share another section's (RFC 9143, section 6)."""
        return self.has("bundle-only")

    @property
    def is_rejected(self) -> bool:
        """Port 0 and nothing that explains it: refused, stopped or recycled (RFC 9429, section 5.3.1)."""
        return self.port == 0 and not self.is_bundle_only

    @property
    def mid(self) -> str | None:
        """The section's name."""
        return cast("str | None", self.first("mid"))

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Addresses at which to reach the peer."""
        return tuple(self.parsed("candidate"))

    @property
    def has_all_candidates(self) -> bool:
        """`a=end-of-candidates` (RFC 8840, section 8.2)."""
        return self.has("end-of-candidates")

    @property
    def rtcp(self) -> Rtcp | None:
        """`a=rtcp`."""
        return cast("Rtcp | None", self.first("rtcp"))

    @property
    def is_rtcp_mux(self) -> bool:
        """RTCP on RTP's port (RFC 5761)."""
        return self.has("rtcp-mux")

    @property
    def is_rtcp_mux_only(self) -> bool:
        """…and on no other (RFC 8858)."""
        return self.has("rtcp-mux-only")

    @property
    def is_rtcp_reduced_size(self) -> bool:
        """Short reports (RFC 5506)."""
        return self.has("rtcp-rsize")

    @property
    def rtpmaps(self) -> tuple[RtpMap, ...]:
        """`a=rtpmap`."""
        return tuple(self.parsed("rtpmap"))

    @once
    def feedback(self) -> tuple[Feedback, ...]:
        """`a=rtcp-fb`."""
        return tuple(self.parsed("rtcp-fb"))

    @once
    def codecs(self) -> tuple[Codec, ...]:
        """What the formats of the `m=` line mean, in its order. A format that nothing explains is left out."""
        maps = {known.payload_type: known for known in reversed(self.rtpmaps)}
        parameters: dict[str, Fmtp] = {}
        for which, fmtp in self.parsed("fmtp"):
            parameters.setdefault(which, fmtp)
        # A format that comes again is the same object: work grows with payload types, of which there are 128.
        found: dict[str, Codec] = {}
        for name in dict.fromkeys(self.formats) if self.is_rtp else ():
            payload_type = int(name)
            known = maps.get(payload_type) or STATIC_PAYLOAD_TYPES.get(payload_type)
            if known is not None:
                channels = known.channels or 1
                of_it = tuple(one for one in self.feedback if one.payload_type in (None, payload_type))
                fmtp = parameters.get(name, Fmtp())
                found[name] = Codec(payload_type, known.name, known.clock_rate_hz, channels, fmtp, of_it)
        return tuple(found[name] for name in self.formats if name in found)

    @property
    def msids(self) -> tuple[MediaStreamId, ...]:
        """The streams that the track belongs to."""
        return tuple(self.parsed("msid"))

    @property
    def sources(self) -> tuple[Source, ...]:
        """`a=ssrc`."""
        return tuple(self.parsed("ssrc"))

    @property
    def source_groups(self) -> tuple[SourceGroup, ...]:
        """`a=ssrc-group`."""
        return tuple(self.parsed("ssrc-group"))

    @property
    def rids(self) -> tuple[Rid, ...]:
        """`a=rid`."""
        return tuple(self.parsed("rid"))

    @property
    def simulcast(self) -> Simulcast | None:
        """`a=simulcast`."""
        return cast("Simulcast | None", self.first("simulcast"))

    @property
    def sctp_port(self) -> int | None:
        """The port of data channels, in the older form of the line too."""
        port = cast("int | None", self.first("sctp-port"))
        older = self.first("sctpmap")
        return older[0] if port is None and older is not None else port

    @property
    def max_message_size(self) -> int:
        """The largest message that is taken, in bytes; 0 means any size."""
        size = cast("int | None", self.first("max-message-size"))
        return DEFAULT_MAX_MESSAGE_SIZE if size is None else size

    def with_m_line(self, *, port: int | None = None, formats: tuple[str, ...] | None = None) -> MediaSection:
        """With another port or other formats."""
        m = self._m
        ports = "" if m.port_count is None else f"/{m.port_count}"
        wanted = m.formats if formats is None else formats
        value = f"{m.kind} {m.port if port is None else port}{ports} {m.protocol} {' '.join(wanted)}"
        return self.with_lines([Line("m", value, self.lines[0].end), *self.lines[1:]])
