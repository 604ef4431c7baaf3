"""stun:, turn: and turns: URLs of ICE servers (W3C WebRTC, section 4.4.1.6, RFC 7064, RFC 7065)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from peerline.errors import DOMSyntaxError, NotSupportedError
from peerline.webrtc.url_host import parse_host

_DEFAULT_PORTS = {"stun": 3478, "turn": 3478, "turns": 5349}
_PARTS = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?P<fragment>#.*)?", re.S
)


@dataclass(frozen=True, slots=True)
class IceServerUrl:
    """Where a server is, and how it is spoken to: `transport` is "udp", "tcp" or "tls"."""

    url: str
    scheme: str
    host: str
    port: int
    transport: str

    @property
    def is_turn(self) -> bool:
        """A relay, to which a user name and a password belong."""
        return self.scheme != "stun"

    @classmethod
    def parse(cls, url: str) -> IceServerUrl:
        """Raises the W3C's SyntaxError, and NotSupportedError for stuns:."""
        # The URL parser of browsers: blanks around it, tabs and line ends inside it are not there.
        text = re.sub(r"[\t\n\r]", "", url.strip("".join(map(chr, range(0x21)))))
        parts = _PARTS.fullmatch(text)
        if parts is None:
            raise _error(url, "it is no URL")
        scheme, path, query = parts["scheme"].lower(), parts["path"], parts["query"]
        if scheme not in ("stun", "stuns", "turn", "turns"):
            raise _error(url, "the scheme is none of stun, turn and turns")
        if "/" in path or "@" in path:
            raise _error(url, "only a host and a port may follow the colon")
        if parts["fragment"] is not None:
            raise _error(url, "it has a fragment")
        if scheme.startswith("stun") and query is not None:
            raise _error(url, "a STUN server's URL has no query")
        if scheme == "stuns":
            raise NotSupportedError(
                f"STUN over TLS is not supported: {url!r}", hint="Use stun:, whose answers are not secret."
            )
        host, port = _host_and_port(url, path)
        if query not in (None, "transport=udp", "transport=tcp"):
            raise _error(url, "the query is neither transport=udp nor transport=tcp")
        transport = (query or "").removeprefix("transport=") or ("tcp" if scheme == "turns" else "udp")
        if scheme == "turns":
            # RFC 7065 knows DTLS as turns:…?transport=udp; no server here speaks it, and browsers take TLS.
            transport = "tls"
        return cls(url, scheme, host, port if port is not None else _DEFAULT_PORTS[scheme], transport)


def _host_and_port(url: str, path: str) -> tuple[str, int | None]:
    match = re.fullmatch(r"(?P<host>\[[^\]]*\]|[^:]*)(?::(?P<port>.*))?", path, re.S)
    if match is None:
        raise _error(url, "host and port cannot be told apart")
    try:
        host = parse_host(match["host"])
    except ValueError as error:
        raise _error(url, str(error)) from None
    digits = match["port"]
    if not digits:
        return host, None
    if not (digits.isascii() and digits.isdigit()) or int(digits[-6:]) > 65535 or len(digits.lstrip("0")) > 5:
        raise _error(url, f"{digits!r} is no port")
    return host, int(digits) or None


def _error(url: str, reason: str) -> DOMSyntaxError:
    return DOMSyntaxError(
        f"not the URL of an ICE server: {url!r}: {reason}", hint="For example stun:stun.example.org:3478"
    )
