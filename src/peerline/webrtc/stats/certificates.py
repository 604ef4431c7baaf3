"""Records of certificates (Statistics API, section 7.17)."""

from __future__ import annotations

import base64
import hashlib

from peerline.webrtc.stats.records import RTCCertificateStats


def certificate_record(der: bytes, now: float) -> RTCCertificateStats:
    """Of one in DER. Its id is its fingerprint: it is the same wherever it is used."""
    digest = hashlib.sha256(der).digest()
    fingerprint = ":".join(f"{byte:02X}" for byte in digest)
    return RTCCertificateStats(
        timestamp=now,
        type="certificate",
        id=f"C{digest[:8].hex()}",
        fingerprint=fingerprint,
        fingerprintAlgorithm="sha-256",
        base64Certificate=base64.b64encode(der).decode("ascii"),
    )
