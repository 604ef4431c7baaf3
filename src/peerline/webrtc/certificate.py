"""RTCCertificate and generateCertificate (W3C WebRTC, section 4.9; Web Cryptography, "normalizing an algorithm")."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from peerline.engine.transport import Certificate
from peerline.errors import NotSupportedError
from peerline.webrtc.dictionary import Dictionary, Member
from peerline.webrtc.webidl import dom_string, unsigned_long_long_enforced

_DEFAULT_LIFE_MS = 30 * 24 * 60 * 60 * 1000
_LONGEST_LIFE_MS = 365 * 24 * 60 * 60 * 1000

_RSA = ("RSASSA-PKCS1-v1_5", "RSA-PSS", "RSA-OAEP")
_CURVES = ("P-256", "P-384")


class RTCDtlsFingerprint(Dictionary):
    """`algorithm` as in "sha-256", `value` in lower-case hexadecimal with colons."""

    algorithm = Member(dom_string)
    value = Member(dom_string)


class RTCCertificate:
    """With it a connection proves who it is: `await RTCPeerConnection.generateCertificate("ECDSA")` makes one.

    The private key stays in the packet core. `from_pem` takes one that was stored (`to_pem`).
    """

    __slots__ = ("__weakref__", "_core", "_expires")

    _core: Certificate
    _expires: int

    def __init__(self) -> None:
        raise TypeError("RTCCertificate has no constructor: RTCPeerConnection.generateCertificate makes one")

    @classmethod
    def _made(cls, core: Certificate) -> RTCCertificate:
        made = cls.__new__(cls)
        made._core, made._expires = core, core.expires_ms
        return made

    @classmethod
    def generated(cls, life_ms: int = _DEFAULT_LIFE_MS, curve: str = "P-256") -> RTCCertificate:
        """A new one, at once. It takes some tens of microseconds."""
        return cls._made(Certificate.generate(int(time.time() * 1000) + life_ms, curve))

    @classmethod
    def from_pem(cls, certificate: str, key: str) -> RTCCertificate:
        """One that was stored. Raises ValueError if the texts are not an ECDSA certificate and its key."""
        return cls._made(Certificate.from_pem(certificate, key))

    def to_pem(self) -> tuple[str, str]:
        """Certificate and private key, to be stored. Who has the key can pretend to be you."""
        return self._core.to_pem()

    @property
    def expires(self) -> int:
        """Until when connections can be made with it, in milliseconds since 1970."""
        return self._expires

    def getFingerprints(self) -> list[RTCDtlsFingerprint]:
        """What the other side checks it by."""
        value = self._core.fingerprint("sha-256").lower()
        return [RTCDtlsFingerprint(algorithm="sha-256", value=value)]

    def __repr__(self) -> str:
        return f"<RTCCertificate {self._core.fingerprint('sha-256')[:17]}…>"


class _Expiration(Dictionary):
    expires = Member(unsigned_long_long_enforced)


def check_algorithm(algorithm: Any) -> tuple[int, str]:
    """How long a certificate is to live, in milliseconds, and its curve, from generateCertificate's argument.

    Raises TypeError for what is no algorithm, NotSupportedError for what is no ECDSA on a known curve.
    """
    life_ms = _DEFAULT_LIFE_MS
    if isinstance(algorithm, Mapping):
        expires = _Expiration(algorithm).expires
        if expires is not None:
            life_ms = min(expires, _LONGEST_LIFE_MS)
        if "name" not in algorithm:
            raise TypeError("an algorithm needs the member 'name'")
        given, name = algorithm, dom_string(algorithm["name"], "name")
    else:
        given, name = {}, dom_string(algorithm, "the algorithm")
    if name.upper() in [rsa.upper() for rsa in _RSA]:
        raise NotSupportedError(
            "certificates with RSA keys are not supported", hint='Use {"name": "ECDSA", "namedCurve": "P-256"}.'
        )
    if name.upper() != "ECDSA":
        raise NotSupportedError(f"{name!r} makes no certificates", hint='Use {"name": "ECDSA", "namedCurve": "P-256"}.')
    if "namedCurve" not in given:
        raise TypeError("ECDSA needs the member 'namedCurve'")
    curve = dom_string(given["namedCurve"], "namedCurve")
    if curve not in _CURVES:
        raise NotSupportedError(f"the curve {curve!r} is not supported", hint=f"Use {' or '.join(_CURVES)}.")
    return life_ms, curve
