"""The certificate a peer connection shows (RFC 8827, section 6.5). Its key is made and used in the packet core."""

from __future__ import annotations

import base64
import textwrap
from typing import Self

from peerline import _core


class Certificate:
    """`Certificate.generate(expires_ms)`, or one that was stored: `Certificate.from_pem(certificate, key)`."""

    __slots__ = ("core",)

    def __init__(self, core: _core.Certificate) -> None:
        self.core = core

    @classmethod
    def generate(cls, expires_ms: int, curve: str = "P-256") -> Self:
        """Self-signed, good until then (milliseconds since 1970). Raises ValueError for unknown curves."""
        return cls(_core.Certificate.generate(max(0, expires_ms), curve))

    @classmethod
    def from_pem(cls, certificate: str, key: str) -> Self:
        """Raises ValueError unless they are a certificate and its ECDSA key on P-256 or P-384."""
        return cls(_core.Certificate.from_pem(certificate, key))

    def to_pem(self) -> tuple[str, str]:
        """Certificate and key. Who has the key can pretend to be you."""
        return _pem("CERTIFICATE", self.core.der), _pem("PRIVATE KEY", self.core.key_der)

    @property
    def der(self) -> bytes:
        """The certificate alone."""
        return self.core.der

    @property
    def expires_ms(self) -> int:
        """When it expires, in milliseconds since 1970."""
        return self.core.expires_ms

    def fingerprint(self, hash: str = "sha-256") -> str:
        """As descriptions show it: "AB:CD:…". Raises ValueError for a hash that is not sha-256, -384 or -512."""
        return self.core.fingerprint(hash)


def _pem(label: str, der: bytes) -> str:
    lines = textwrap.fill(base64.b64encode(der).decode(), 64)
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"
