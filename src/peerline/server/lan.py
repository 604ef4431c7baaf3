"""The server on the LAN: its address, and a certificate made for it, since cameras need HTTPS away from localhost."""

from __future__ import annotations

import datetime
import ipaddress
import os
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from peerline.errors import ConfigError

# Browsers refuse long-lived ones, and an address on a LAN rarely stays the same for longer.
LIFETIME = datetime.timedelta(days=90)
RENEW_BEFORE = datetime.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class LanIdentity:
    """Where the server is on the LAN and how it proves it."""

    address: str
    context: ssl.SSLContext
    fingerprint: str  # SHA-256, as browsers show it
    path: Path  # of key and certificate, PEM


def lan_address() -> str:
    """This machine's address on the LAN: the one packets to elsewhere would leave from. Nothing is sent.

    Raises ConfigError if there is none.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            address = str(probe.getsockname()[0])
        except OSError:
            address = "127.0.0.1"
    if ipaddress.ip_address(address).is_loopback:
        raise ConfigError("this machine has no address on a LAN", hint="Connect it, or name its address with --host.")
    return address


def lan_identity(address: str, data_dir: Path) -> LanIdentity:
    """The certificate for `address`, kept in `data_dir/lan`; made anew when the address changes or it gets old."""
    folder = data_dir / "lan"
    path = folder / "server.pem"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        certificate = _usable(path, address) or _make(path, address)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(path)
    except OSError as error:
        raise ConfigError(f"the certificate cannot be kept: {error}", hint="Choose another --data-dir.") from error
    digest = certificate.fingerprint(hashes.SHA256()).hex().upper()
    return LanIdentity(address, context, ":".join(digest[i : i + 2] for i in range(0, len(digest), 2)), path)


def _usable(path: Path, address: str) -> x509.Certificate | None:
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return None
    now = datetime.datetime.now(datetime.UTC)
    is_current = certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - RENEW_BEFORE
    return (
        certificate
        if is_current and ipaddress.ip_address(address) in names.get_values_for_type(x509.IPAddress)
        else None
    )


def _make(path: Path, address: str) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    host = socket.gethostname()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Peerline on {host}"[:64])])
    now = datetime.datetime.now(datetime.UTC)
    names: list[x509.GeneralName] = [
        x509.IPAddress(ipaddress.ip_address(address)),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        x509.DNSName("localhost"),
    ]
    if host.isascii() and all(part.replace("-", "").isalnum() for part in host.split(".")):
        names += [x509.DNSName(host), x509.DNSName(f"{host}.local")]
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + certificate.public_bytes(serialization.Encoding.PEM)
    # Whole or not at all, and never readable by others: a key half written is no key.
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(pem)
    fresh.replace(path)
    return certificate
