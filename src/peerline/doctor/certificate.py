"""What is wrong with a server's certificate: asked by a handshake that is strict, then read by one that is not."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from peerline.doctor.stun.errors import LinkLostError
from peerline.doctor.stun.link import CONNECT_WITHIN_S, tls_reason

_SELF_SIGNED = (18, 19)  # OpenSSL's X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT and …_IN_CHAIN
_EXPIRED, _NOT_YET = 10, 9
_WRONG_NAME = (62, 64)


@dataclass(frozen=True, slots=True)
class Certificate:
    """What stands in it, and what is wrong with it."""

    names: list[str]
    begins: datetime.datetime
    ends: datetime.datetime
    fingerprint: str
    """SHA-256, as browsers show it."""
    refusal: str | None = None
    """Why nobody should accept it, in OpenSSL's words; None if it is good."""
    refusal_code: int = 0

    @property
    def is_home_made(self) -> bool:
        """It vouches for itself, and that is all that is wrong."""
        return self.refusal_code in _SELF_SIGNED

    @property
    def is_out_of_time(self) -> bool:
        return self.refusal_code in (_EXPIRED, _NOT_YET)

    @property
    def is_for_another_name(self) -> bool:
        return self.refusal_code in _WRONG_NAME


async def read_certificate(host: str, port: int, *, strict: ssl.SSLContext, lax: ssl.SSLContext) -> Certificate:
    """Raises LinkLostError if there is no TLS at all."""
    refusal, code = None, 0
    try:
        encoded = await _handshake(host, port, strict)
    except ssl.SSLCertVerificationError as error:
        refusal, code = error.verify_message, error.verify_code
        encoded = await _handshake(host, port, lax)
    made = x509.load_der_x509_certificate(encoded)
    digest = made.fingerprint(hashes.SHA256()).hex().upper()
    return Certificate(
        names=_names(made),
        begins=made.not_valid_before_utc,
        ends=made.not_valid_after_utc,
        fingerprint=":".join(digest[i : i + 2] for i in range(0, len(digest), 2)),
        refusal=refusal,
        refusal_code=code,
    )


async def _handshake(host: str, port: int, context: ssl.SSLContext) -> bytes:
    try:
        async with asyncio.timeout(CONNECT_WITHIN_S):
            _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
    except ssl.SSLCertVerificationError:
        raise
    except ssl.SSLError as error:
        raise LinkLostError(f"no TLS on port {port}: {tls_reason(error)}", code="tls") from error
    except TimeoutError:
        raise LinkLostError(f"no TLS on port {port} within {CONNECT_WITHIN_S:g} s", code="timeout") from None
    except OSError as error:
        raise LinkLostError(f"port {port}: {(error.strerror or str(error)).lower()}", code="refused") from error
    try:
        encoded: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return encoded
    finally:
        writer.transport.abort()


def _names(made: x509.Certificate) -> list[str]:
    try:
        names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]
