"""Opening a TURN server on UDP, TCP and TLS, and saying which of them cannot be had."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from peerline.errors import ConfigError
from peerline.turnserver.certificate import CertificateFiles
from peerline.turnserver.ports import Listen, endpoints, unavailable
from peerline.turnserver.server import TurnServer

# A port that was free a moment ago may be somebody's now.
TRIES = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where to listen, where to relay. 0 stands for any free port; `certificate` None: no TLS."""

    hosts: Sequence[str]
    port: int
    tls_port: int
    certificate: CertificateFiles | None
    relays: Sequence[tuple[str, str]]
    relay_ports: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Opened:
    """The addresses there are; the transports that could not be had, each with its port and the reason."""

    addresses: Sequence[Listen]
    refused: dict[str, tuple[int, OSError]]

    def port(self, transport: str) -> int | None:
        """Of "udp", "tcp" or "tls"; None if there is none."""
        return next((port for kind, _, port in self.addresses if kind == transport), None)


def open_turn(server: TurnServer, wanted: Wanted, *, needs_all: bool) -> Opened:
    """Listen. With `needs_all` on all of them or on none; else on those that can be had.

    Raises ConfigError for a certificate that cannot be used, ValueError for settings that make no sense.
    """
    certificate = wanted.certificate.load() if wanted.certificate is not None else None
    refused: dict[str, tuple[int, OSError]] = {}
    for attempt in range(TRIES):
        try:
            plan = _plan(wanted, without=refused)
            if not plan:
                break
            addresses = server.listen(plan, wanted.relays, wanted.relay_ports, certificate=certificate)
            return Opened(addresses, refused)
        except OSError as error:
            taken = unavailable(plan) or {kind: (port, error) for kind, _, port in plan}
            asked = {kind: wanted.tls_port if kind == "tls" else wanted.port for kind in taken}
            if attempt + 1 < TRIES and not any(asked.values()):
                continue  # any other port will do
            refused |= taken
            if needs_all:
                break
        except ValueError as error:
            if wanted.certificate is None:
                raise
            raise ConfigError(f"{wanted.certificate.chain} cannot be used: {error}") from error
    return Opened([], refused)


def _plan(wanted: Wanted, *, without: dict[str, tuple[int, OSError]]) -> list[Listen]:
    tls_port = wanted.tls_port if wanted.certificate is not None else None
    return [at for at in endpoints(wanted.hosts, wanted.port, tls_port) if at[0] not in without]
