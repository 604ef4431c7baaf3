"""Opening a TURN server on UDP, TCP and TLS, and saying which of them cannot be had."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass

from peerline.errors import ConfigError
from peerline.turnserver.certificate import CertificateFiles
from peerline.turnserver.discovery import Alternate, Discovery, discoveries, listeners
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
    alternates: Sequence[Alternate] = ()


@dataclass(frozen=True, slots=True)
class Opened:
    """The addresses there are; the transports that could not be had, each with its port and the reason.

    "alternate" among the latter stands for behaviour discovery.
    """

    addresses: Sequence[Listen]
    refused: dict[str, tuple[int, OSError]]
    alternates: Sequence[Listen] = ()
    discovery: Sequence[Discovery] = ()

    def port(self, transport: str) -> int | None:
        """Of "udp", "tcp" or "tls"; None if there is none."""
        return next((port for kind, _, port in self.addresses if kind == transport), None)


def open_turn(server: TurnServer, wanted: Wanted, *, needs_all: bool) -> Opened:
    """Listen. With `needs_all` on all of them or on none; else on those that can be had.

    Raises ConfigError for a certificate or an alternate that cannot be used, ValueError for settings without sense.
    """
    certificate = wanted.certificate.load() if wanted.certificate is not None else None
    refused: dict[str, tuple[int, OSError]] = {}
    for attempt in range(TRIES):
        try:
            plan = _plan(wanted, without=refused)
            if not plan:
                break
            found = _discovery(wanted, plan, without=refused)
            more = listeners(found, wanted.hosts, plan[0][2])
            addresses = server.listen([*plan, *more], wanted.relays, wanted.relay_ports, certificate=certificate)
            return Opened(addresses[: len(plan)], refused, addresses[len(plan) :], found)
        except OSError as error:
            taken = unavailable(plan)
            if not taken and (missing := unavailable(more)):
                taken = {"alternate": missing["udp"]}
            taken = taken or {kind: (port, error) for kind, _, port in plan}
            asked = {kind: wanted.tls_port if kind == "tls" else wanted.port for kind in taken}
            # An address that is not ours has no port at all.
            is_port_taken = all(found.errno == errno.EADDRINUSE for _, found in taken.values())
            if attempt + 1 < TRIES and is_port_taken and not any(asked.values()):
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


def _discovery(
    wanted: Wanted, plan: Sequence[Listen], *, without: dict[str, tuple[int, OSError]]
) -> Sequence[Discovery]:
    if "alternate" in without or plan[0][0] != "udp":
        return []
    return discoveries(wanted.alternates, wanted.relays, plan[0][2])
