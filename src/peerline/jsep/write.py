"""Writes descriptions: the session's lines, media sections, the data section (RFC 9429, sections 5.2.1 and 5.3.1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from peerline.jsep.direction import TransceiverDirection, sends
from peerline.jsep.settings import Settings
from peerline.jsep.transceiver import Transceiver
from peerline.jsep.transport import TransportPlan
from peerline.sdp import Codec, Group, HeaderExtension, Line, MediaSection, SessionSection

__all__ = ["Carrier", "data_section", "media_section", "rejected_section", "session_section"]

_NOWHERE = Line("c", "IN IP4 0.0.0.0")
_FLAGS = {name: Line("a", name) for name in ("rtcp-mux", "rtcp-mux-only", "rtcp-rsize", "bundle-only", "inactive")}
_RTCP = Line("a", "rtcp:9 IN IP4 0.0.0.0")


@dataclass(frozen=True)
class Carrier:
    """How a section says which transport it uses."""

    plan: TransportPlan
    setup: str
    is_bundle_only: bool = False
    has_tls_id: bool = True

    @property
    def port(self) -> int:
        """9 stands for "candidates will tell"."""
        return 0 if self.is_bundle_only else 9

    def lines(self, settings: Settings) -> Iterable[Line]:
        """RFC 9429 wants them where a section stands for a transport, and nowhere else. Every browser writes them in
        all sections of a BUNDLE group, and answerers without BUNDLE, or that read each section alone, need them."""
        yield _a("ice-ufrag", self.plan.local.ufrag)
        yield _a("ice-pwd", self.plan.local.password)
        for fingerprint in settings.fingerprints:
            yield _a("fingerprint", fingerprint)
        yield _a("setup", self.setup)
        if self.has_tls_id:
            yield _a("tls-id", self.plan.tls_id)
        if self.is_bundle_only:
            yield _FLAGS["bundle-only"]


def session_section(settings: Settings, version: int, groups: Iterable[Sequence[str]]) -> SessionSection:
    """What stands before the first media section."""
    return SessionSection(
        (
            Line("v", "0"),
            Line("o", f"- {settings.session_id} {version} IN IP4 127.0.0.1"),
            Line("s", "-"),
            Line("t", "0 0"),
            *(_a("group", Group("BUNDLE", tuple(mids))) for mids in groups),
            _a("extmap-allow-mixed"),
            # Trickle ICE, and ICE as RFC 8445 has it (section 10).
            _a("ice-options", "trickle ice2"),
            _a("msid-semantic", " WMS *"),
        )
    )


def media_section(
    transceiver: Transceiver,
    mid: str,
    carrier: Carrier,
    settings: Settings,
    *,
    protocol: str,
    direction: TransceiverDirection,
    codecs: Sequence[Codec],
    extensions: Sequence[HeaderExtension],
    rids: Sequence[str] = (),
    is_offer: bool,
    is_reduced_size: bool = True,
) -> MediaSection:
    """A section of audio or video that is not rejected."""
    formats = " ".join(str(codec.payload_type) for codec in codecs)
    lines = [Line("m", f"{transceiver.kind} {carrier.port} {protocol} {formats}"), _NOWHERE]
    # Some that never learnt of a=rtcp-mux read this; where RTCP must share the port there is no other (RFC 8858).
    if settings.rtcp_mux_policy == "negotiate" and is_offer:
        lines.append(_RTCP)
    lines.append(_a("mid", mid))
    lines += carrier.lines(settings)
    lines.append(_FLAGS["rtcp-mux"])
    if settings.rtcp_mux_policy == "require" and is_offer:
        lines.append(_FLAGS["rtcp-mux-only"])
    if is_reduced_size:
        lines.append(_FLAGS["rtcp-rsize"])
    lines += (_a("extmap", extension) for extension in extensions)
    lines.append(Line("a", direction))
    if sends(direction):
        streams = transceiver.stream_ids or ("-",)
        lines += (_a("msid", stream) for stream in streams)
    for codec in codecs:
        lines += _codec_lines(codec)
    if sends(direction):
        lines += _sending_lines(transceiver, codecs, settings, rids)
    return MediaSection(tuple(lines))


def data_section(mid: str, carrier: Carrier, settings: Settings, *, protocol: str) -> MediaSection:
    """The section of data channels: as RFC 8841 has it, or as it was before for who offered that."""
    is_old = protocol == "DTLS/SCTP"
    what = str(settings.sctp_port) if is_old else "webrtc-datachannel"
    lines = [Line("m", f"application {carrier.port} {protocol} {what}"), _NOWHERE, _a("mid", mid)]
    lines += carrier.lines(settings)
    if is_old:
        lines.append(_a("sctpmap", f"{settings.sctp_port} webrtc-datachannel 1024"))
    else:
        lines.append(_a("sctp-port", settings.sctp_port))
    lines.append(_a("max-message-size", settings.max_message_bytes))
    return MediaSection(tuple(lines))


def rejected_section(kind: str, protocol: str, formats: Sequence[str], mid: str | None) -> MediaSection:
    """A section that is refused, was stopped, or waits to be used again: it keeps its place."""
    lines = [Line("m", f"{kind} 0 {protocol} {' '.join(formats)}"), _NOWHERE]
    if mid is not None:
        lines.append(_a("mid", mid))
    if "RTP/" in protocol:
        lines.append(_FLAGS["inactive"])
    return MediaSection(tuple(lines))


def _codec_lines(codec: Codec) -> Iterable[Line]:
    yield _a("rtpmap", f"{codec.payload_type} {codec}")
    for feedback in codec.feedback:
        yield _a("rtcp-fb", feedback)
    if codec.fmtp:
        yield _a("fmtp", f"{codec.payload_type} {codec.fmtp}")


def _sending_lines(
    transceiver: Transceiver, codecs: Sequence[Codec], settings: Settings, rids: Sequence[str]
) -> Iterable[Line]:
    if rids:
        # Packets name their encoding themselves: their sources are not announced.
        for rid in rids:
            yield _a("rid", f"{rid} send")
        yield _a("simulcast", f"send {';'.join(rids)}")
    elif transceiver.ssrcs is not None:
        media, repair = transceiver.ssrcs
        has_rtx = any(codec.key == "rtx" for codec in codecs)
        if has_rtx:
            yield _a("ssrc-group", f"FID {media} {repair}")
        for ssrc in (media, repair) if has_rtx else (media,):
            yield _a("ssrc", f"{ssrc} cname:{settings.cname}")


def _a(name: str, content: object = None) -> Line:
    return Line.attribute(name, content)
