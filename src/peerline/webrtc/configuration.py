"""RTCConfiguration and RTCIceServer (W3C WebRTC, sections 4.2.1 to 4.2.6, and "set a configuration" in 4.4.1.6)."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from peerline.errors import DOMSyntaxError, InvalidAccessError, InvalidModificationError, NotSupportedError
from peerline.webrtc.certificate import RTCCertificate
from peerline.webrtc.dictionary import Dictionary, Member
from peerline.webrtc.ice_url import IceServerUrl
from peerline.webrtc.webidl import dom_string, enumeration, interface, octet_enforced, sequence, usv_string

MAX_ICE_SERVERS = 64
"""Further ones are ignored; the specification asks for 32 at least."""

RTCIceTransportPolicy = enumeration("relay", "all")
RTCBundlePolicy = enumeration("balanced", "max-compat", "max-bundle")
# "negotiate" is of an older specification: known, and refused.
RTCRtcpMuxPolicy = enumeration("negotiate", "require")


def _urls(value: Any, what: str) -> list[str]:
    return [usv_string(value, what)] if isinstance(value, str) else sequence(usv_string)(value, what)


class RTCIceServer(Dictionary):
    """A STUN or TURN server: `RTCIceServer(urls="turn:turn.example.org", username="me", credential="secret")`.

    `urls` is one URL or several; they become a list.
    """

    credential = Member(dom_string)
    urls = Member(_urls, is_required=True)
    username = Member(dom_string)

    def __init__(
        self,
        init: Mapping[str, Any] | object | None = None,
        /,
        *,
        urls: str | Sequence[str] | None = None,
        username: str | None = None,
        credential: str | None = None,
    ) -> None:
        super().__init__(init, urls=urls, username=username, credential=credential)

    def parsed(self) -> list[IceServerUrl]:
        """Its URLs, taken apart. Raises the W3C's SyntaxError, NotSupportedError, InvalidAccessError."""
        if not self.urls:
            raise DOMSyntaxError("an ICE server needs a URL")
        parsed = [IceServerUrl.parse(url) for url in self.urls]
        if any(url.is_turn for url in parsed):
            # 509 bytes of `username` are the W3C's bound; neither holds control characters (RFC 8265, section 4.2).
            for name, text, limit in (("username", self.username, 509), ("credential", self.credential, 65535)):
                if text is None:
                    raise InvalidAccessError(f"a TURN server needs {name}", hint="username and credential, both.")
                is_clean = not any(unicodedata.category(character) in ("Cc", "Cs") for character in text)
                if not is_clean or len(text.encode()) > limit:
                    raise InvalidAccessError(f"the {name} of a TURN server is too long, or holds control characters")
        return parsed


def _ice_server(value: Any, what: str) -> RTCIceServer:
    if value is None:
        raise TypeError(f"{what} is an RTCIceServer, not None")
    return RTCIceServer(value)


class RTCConfiguration(Dictionary):
    """How a connection is made. With no `iceServers`, or None as keyword, no server is contacted."""

    bundlePolicy = Member(RTCBundlePolicy, default=lambda: "balanced")
    certificates = Member(sequence(interface(RTCCertificate)), default=list)
    iceCandidatePoolSize = Member(octet_enforced, default=lambda: 0)
    iceServers = Member(sequence(_ice_server), default=list)
    iceTransportPolicy = Member(RTCIceTransportPolicy, default=lambda: "all")
    rtcpMuxPolicy = Member(RTCRtcpMuxPolicy, default=lambda: "require")

    def __init__(
        self,
        init: Mapping[str, Any] | object | None = None,
        /,
        *,
        iceServers: Sequence[RTCIceServer | Mapping[str, Any]] | None = None,
        iceTransportPolicy: str | None = None,
        bundlePolicy: str | None = None,
        rtcpMuxPolicy: str | None = None,
        certificates: Sequence[RTCCertificate] | None = None,
        iceCandidatePoolSize: int | None = None,
    ) -> None:
        super().__init__(
            init,
            iceServers=iceServers,
            iceTransportPolicy=iceTransportPolicy,
            bundlePolicy=bundlePolicy,
            rtcpMuxPolicy=rtcpMuxPolicy,
            certificates=certificates,
            iceCandidatePoolSize=iceCandidatePoolSize,
        )

    def copy(self) -> RTCConfiguration:
        """As getConfiguration gives it: whoever changes it changes nothing else."""
        return RTCConfiguration(self)

    def servers(self) -> list[tuple[IceServerUrl, RTCIceServer]]:
        """Every URL with its server, in their order, as many as are used."""
        return [(url, server) for server in self.iceServers[:MAX_ICE_SERVERS] for url in server.parsed()]


def check_configuration(
    new: RTCConfiguration, old: RTCConfiguration | None, *, has_set_local_description: bool = False
) -> None:
    """What the constructor and setConfiguration refuse, before anything is changed.

    Raises InvalidModificationError, InvalidAccessError, the W3C's SyntaxError, NotSupportedError.
    """
    if old is None:
        now_ms = time.time() * 1000
        if any(certificate.expires < now_ms for certificate in new.certificates):
            raise InvalidAccessError("a certificate has expired")
        if new.rtcpMuxPolicy == "negotiate":
            raise NotSupportedError("RTCP has no transport of its own here", hint='rtcpMuxPolicy is "require".')
    else:
        same = [a is b for a, b in zip(new.certificates, old.certificates, strict=False)]
        if len(new.certificates) != len(old.certificates) or not all(same):
            raise InvalidModificationError("the certificates of a connection stay as they are")
        for name in ("bundlePolicy", "rtcpMuxPolicy"):
            if new[name] != old[name]:
                raise InvalidModificationError(f"the {name} of a connection stays as it is")
        if has_set_local_description and new.iceCandidatePoolSize != old.iceCandidatePoolSize:
            raise InvalidModificationError("the iceCandidatePoolSize stays as it is once a local description was set")
    new.servers()
