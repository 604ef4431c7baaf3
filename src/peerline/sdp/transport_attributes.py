"""What a transport is agreed by: fingerprints, setup, SCTP, RTCP's port (RFC 8122, 4145, 8842, 8841, 3605)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from peerline.sdp.errors import SdpError
from peerline.sdp.scan import Words, number, shown

__all__ = ["Connection", "Fingerprint", "Rtcp"]

ROLES = ("active", "passive", "actpass", "holdconn")
DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
_HASH_BYTES = {"sha-1": 20, "sha-224": 28, "sha-256": 32, "sha-384": 48, "sha-512": 64, "md5": 16, "md2": 16}


@dataclass(frozen=True)
class Fingerprint:
    """The hash of a certificate: whoever shows another one in the DTLS handshake is not the one who was meant."""

    algorithm: str
    value: str

    @classmethod
    def parse(cls, value: str) -> Fingerprint:
        """Read what follows `a=fingerprint:`. Raises SdpError."""
        words = Words(value, "RFC 8122, section 5", "a=fingerprint:sha-256 AB:CD:… with 32 bytes")
        algorithm = words.next("the hash function")
        digest = words.next("the hash")
        if re.fullmatch(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2})*", digest) is None:
            raise words.error("the hash is not hex bytes with colons between them")
        length, right = len(digest.split(":")), _HASH_BYTES.get(algorithm.lower())
        if right is not None and length != right:
            raise words.error(f"{shown(algorithm)} has {right} bytes, and these are {length}")
        words.end()
        return cls(algorithm, digest)

    @property
    def digest(self) -> bytes:
        """The hash itself."""
        return bytes.fromhex(self.value.replace(":", ""))

    def __str__(self) -> str:
        return f"{self.algorithm} {self.value}"


@dataclass(frozen=True)
class Connection:
    """The address of a `c=` line. With ICE it is a placeholder: candidates say where to send."""

    network_type: str
    address_type: str
    address: str

    @classmethod
    def parse(cls, value: str) -> Connection:
        """Read what follows `c=`. Raises SdpError."""
        words = Words(value, "RFC 8866, section 5.7", "c=IN IP4 ADDRESS or c=IN IP6 ADDRESS")
        found = cls(words.next("the network"), words.next("the kind of address"), words.next("the address"))
        words.end()
        return found

    def __str__(self) -> str:
        return f"{self.network_type} {self.address_type} {self.address}"


@dataclass(frozen=True)
class Rtcp:
    """Where RTCP goes where it does not share RTP's port."""

    port: int
    connection: Connection | None = None

    @classmethod
    def parse(cls, value: str) -> Rtcp:
        """Read what follows `a=rtcp:`. Raises SdpError."""
        form = "a=rtcp:PORT [IN IP4 ADDRESS]"
        words = Words(value, "RFC 3605, section 2.1", form)
        port = words.number("the port", 65535)
        rest = words.rest()
        if rest and len(rest) != 3:
            raise words.error("the address is not NETWORK KIND ADDRESS")
        return cls(port, Connection(*rest) if rest else None)

    def __str__(self) -> str:
        return f"{self.port}" + (f" {self.connection}" if self.connection else "")


def parse_setup(value: str) -> str:
    """Read what follows `a=setup:`. Raises SdpError."""
    return one_of(value, ROLES, "the role", "RFC 4145, section 4")


def parse_ufrag(value: str) -> str:
    """Read what follows `a=ice-ufrag:`. Raises SdpError."""
    return _secret(value, 4, "the user fragment")


def parse_password(value: str) -> str:
    """Read what follows `a=ice-pwd:`. Raises SdpError."""
    return _secret(value, 22, "the password")


def parse_options(value: str) -> tuple[str, ...]:
    """Read what follows `a=ice-options:`."""
    return tuple(Words(value, "RFC 8839, section 5.6", "a=ice-options:OPTION…").rest())


def parse_sctp_port(value: str) -> int:
    """Read what follows `a=sctp-port:`. Raises SdpError."""
    return number(value.strip(" "), "the port", 65535, rfc="RFC 8841, section 5", form="a=sctp-port:5000")


def parse_max_message_size(value: str) -> int:
    """Read what follows `a=max-message-size:`, in bytes; 0 means any size. Raises SdpError."""
    form = "a=max-message-size:BYTES"
    return number(value.strip(" "), "the size", 2**64 - 1, rfc="RFC 8841, section 6", form=form)


def parse_sctpmap(value: str) -> tuple[int, str]:
    """Read what follows `a=sctpmap:`, as browsers wrote it until 2018: the port, and the rest. Raises SdpError."""
    words = Words(value, "draft-ietf-mmusic-sctp-sdp-05, section 4", "a=sctpmap:5000 webrtc-datachannel 1024")
    return words.number("the port", 65535), " ".join(words.rest())


def one_of(value: str, known: tuple[str, ...], what: str, rfc: str) -> str:
    """A word out of a list. Raises SdpError."""
    if value not in known:
        raise SdpError(f"{what} is {shown(value)}", rfc=rfc, hint=f"It is one of {', '.join(known)}")
    return value


def _secret(value: str, least: int, what: str) -> str:
    # A secret: what was wrong is said, the value is not.
    if re.fullmatch(r"[A-Za-z0-9+/=_-]{1,256}", value) is None or len(value) < least:
        hint = f"{least} to 256 letters, digits, + and /"
        raise SdpError(f"{what} has a wrong length or characters", rfc="RFC 8839, section 5.4", hint=hint)
    return value
