"""The certificate of TURN over TLS: read, checked, and read again when its file changes."""

from __future__ import annotations

import asyncio
import datetime
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from peerline.errors import ConfigError

LOOK_EVERY_S = 60.0
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----\s*", re.S)

log = logging.getLogger("peerline.turn")


class Certificate(NamedTuple):
    """PEM of the chain, its own certificate first, and of the private key."""

    chain: bytes
    key: bytes

    def __repr__(self) -> str:
        return f"Certificate(chain={self.chain!r}, key=…)"


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Where the chain and the key are; one file may have both."""

    chain: Path
    key: Path

    def load(self) -> Certificate:
        """Raises ConfigError that names the file: unreadable, no certificate, no key, not of each other, expired."""
        chain = b"".join(block for kind, block in _blocks(self.chain) if kind == b"CERTIFICATE")
        keys = [block for kind, block in _blocks(self.key) if kind.endswith(b"PRIVATE KEY")]
        if not chain:
            raise ConfigError(f"{self.chain} has no certificate", hint="A PEM file is wanted: -----BEGIN CERTIFICATE.")
        if not keys:
            raise ConfigError(f"{self.key} has no private key", hint="A PEM file is wanted: -----BEGIN PRIVATE KEY.")
        try:
            certificate = x509.load_pem_x509_certificates(chain)[0]
            offered = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise ConfigError(f"{self.chain} has a certificate that cannot be read") from error
        try:
            key = serialization.load_pem_private_key(keys[0], None)
        except TypeError as error:
            raise ConfigError(
                f"the key in {self.key} is encrypted", hint="Decrypt it: openssl pkey -in KEY -out PLAIN."
            ) from error
        except (ValueError, UnsupportedAlgorithm) as error:
            raise ConfigError(f"{self.key} has a key that cannot be read") from error
        if key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != offered:
            raise ConfigError(
                f"the key in {self.key} is not that of the certificate in {self.chain}",
                hint="The server's own certificate comes first in its file.",
            )
        now = datetime.datetime.now(datetime.UTC)
        if now >= certificate.not_valid_after_utc:
            raise ConfigError(
                f"the certificate in {self.chain} has expired on {certificate.not_valid_after_utc:%Y-%m-%d}",
                hint="Renew it; it is read again within a minute.",
            )
        if now < certificate.not_valid_before_utc:
            raise ConfigError(
                f"the certificate in {self.chain} is not valid before {certificate.not_valid_before_utc:%Y-%m-%d %H:%M}"
                " UTC",
                hint="Is the clock of this machine right?",
            )
        return Certificate(chain, keys[0])

    def stamp(self) -> tuple[object, ...]:
        """Differs when a file was replaced or written to."""
        stamps: list[object] = []
        for path in (self.chain, self.key):
            try:
                about = path.stat()
                stamps.append((about.st_ino, about.st_mtime_ns, about.st_size))
            except OSError:
                stamps.append(None)
        return tuple(stamps)


class CertificateWatch:
    """Has a new certificate used when its files change. A broken one changes nothing, and is warned about once."""

    def __init__(
        self, files: CertificateFiles, use: Callable[[Certificate], None], *, every_s: float = LOOK_EVERY_S
    ) -> None:
        """The files as they are now are in use already. `use` may raise ValueError."""
        self.files = files
        self._use = use
        self._every_s = every_s
        self._stamp = files.stamp()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(self._every_s)
            self.look()

    def look(self, *, anyway: bool = False) -> bool:
        """Look now; `anyway`: read the files even if they seem to be the same. Whether a certificate was read."""
        stamp = self.files.stamp()
        if stamp == self._stamp and not anyway:
            return False
        self._stamp = stamp
        try:
            self._use(self.files.load())
        except (ConfigError, ValueError) as error:
            log.warning("the certificate stays as it was: %s", error)
            return False
        log.info("the certificate in %s is in use", self.files.chain)
        return True


def certificate_files(chain: Path | None, key: Path | None) -> CertificateFiles | None:
    """`--turn-cert`, `--turn-key`: both or none. Raises ConfigError."""
    if chain is None and key is None:
        return None
    if chain is None or key is None:
        given, missing = ("turn_cert", "turn_key") if key is None else ("turn_key", "turn_cert")
        raise ConfigError(f"{given} without {missing}", hint=f"Give --{missing.replace('_', '-')} FILE as well.")
    return CertificateFiles(chain, key)


def look_again(watch: CertificateWatch | None, files: CertificateFiles | None) -> None:
    """Somebody asks for the certificate to be read, from these files if there are any."""
    if watch is not None:
        watch.files = files or watch.files
        watch.look(anyway=True)
    elif files is not None:
        log.warning("there was no certificate at the start: TLS takes a restart")


def _blocks(path: Path) -> list[tuple[bytes, bytes]]:
    try:
        return [(block[1], block[0]) for block in _BLOCK.finditer(path.read_bytes())]
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}", hint="The user that runs the server needs the right to."
        ) from error
