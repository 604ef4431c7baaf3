"""STUN and TURN beside the signaling: what `peerline serve` starts so that its pages ask nobody else."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import errno
import ipaddress
import os
import secrets
import socket
from collections.abc import Iterator

from peerline.config import Config
from peerline.engine import Engine
from peerline.metrics import Sample
from peerline.turnserver import TurnServer, TurnSettings, make_credentials
from peerline.turnserver.addresses import (
    check_networks,
    own_addresses,
    own_network,
    parse_ports,
    relay_addresses,
)  # fmt: skip

LOOPBACK = "127.0.0.1"


class IceServer:
    """One engine with a STUN and a TURN server on it. A port that is taken costs that server, not the others."""

    def __init__(self, config: Config) -> None:
        """Raises ConfigError if a setting makes no sense."""
        self._config = config
        self._ports = parse_ports(config.relay_ports)
        self._allow = check_networks(config.allow_peer)
        self._secret = secrets.token_bytes(32)
        self._engine: Engine | None = None
        self.turn_server: TurnServer | None = None
        self.stun_port: int | None = None
        self.turn_port: int | None = None
        self.offers_turn = False
        self.notes: list[str] = []

    def start(self, hosts: list[str], *, lan: str | None, http_port: int) -> None:
        """Listen beside each of these addresses. What could not be had stands in `notes`."""
        config = self._config
        listen = [*hosts, "::1"] if LOOPBACK in hosts and _has_ipv6_loopback() else hosts
        try:
            self._engine = Engine()
            self._engine.attach(asyncio.get_running_loop())
        except OSError as error:
            self.notes.append(f"No STUN and no TURN: {_reason(error)}.")
            return
        is_shared = config.turn and config.turn_port == config.stun_port
        if config.turn:
            self._start_turn(listen, hosts, lan=lan, http_port=http_port, is_shared=is_shared)
        if not is_shared:
            self._start_stun(listen)

    def urls(self, host: str) -> list[str]:
        """See hub.TurnOffer."""
        return [f"turn:{host}:{self.turn_port}?transport=udp"]

    def credentials(self, name: str, now_s: float, ttl_s: float) -> tuple[str, str]:
        """See hub.TurnOffer."""
        made = make_credentials(self._secret, name, now_s=now_s, ttl_s=ttl_s)
        return made.username, made.password

    def samples(self) -> Iterator[Sample]:
        """For /metrics."""
        if self._engine is None:
            return
        stats = self._engine.stats()
        text = "STUN Binding requests, by what became of them"
        for outcome in ("answered", "refused", "malformed", "unserved", "rate_limited"):
            on_turn_port = stats.turn.bindings if outcome == "answered" else 0
            yield (
                "peerline_stun_requests_total",
                text,
                {"outcome": outcome},
                (getattr(stats, f"stun_{outcome}") + on_turn_port),
            )
        if self.turn_server is not None:
            yield from self.turn_server.samples()

    def close(self) -> None:
        """End everything and free all ports."""
        if self.turn_server is not None:
            self.turn_server.close()
        if self._engine is not None:
            self._engine.close()

    def _start_turn(
        self, listen: list[str], hosts: list[str], *, lan: str | None, http_port: int, is_shared: bool
    ) -> None:
        assert self._engine is not None
        config = self._config
        allow = list(self._allow)
        if lan is not None and (network := own_network(lan)) is not None:
            allow.append(network)
            self.notes.append(f"The relay reaches the LAN, {network}, because of --lan")
        relays = relay_addresses(hosts, config.external_ip)
        settings = TurnSettings(
            secrets=[self._secret],
            allow=allow,
            own_addresses=sorted({*own_addresses(), *(told for _, told in relays)}),
            open_ports=[self._ports],
        )
        server = TurnServer(self._engine, settings)
        what = "STUN and TURN" if is_shared else "TURN"
        try:
            port = config.turn_port or _free_udp_port(listen)
            server.listen([("udp", host, port) for host in listen], relays, self._ports)
        except OSError as error:
            flag = "--turn-port and --stun-port" if is_shared else "--turn-port"
            self.notes.append(
                f"No {what}: UDP port {config.turn_port} cannot be used ({_reason(error)}). Choose another with {flag}."
            )
            return
        self.turn_server, self.turn_port = server, port
        if is_shared:
            self.stun_port = port
        server.reload(dataclasses.replace(settings, closed_ports=[http_port, port, config.stun_port]))
        self.notes.append(f"{what} on UDP {port}")
        if all(ipaddress.ip_address(bind).is_loopback for bind, _ in relays) and not _covers_loopback(allow):
            self.notes.append(
                "No relay on localhost alone: it would reach nobody. --allow-peer 127.0.0.0/8 opens it for trying out."
            )
        else:
            self.offers_turn = True

    def _start_stun(self, listen: list[str]) -> None:
        """On all addresses the same port."""
        assert self._engine is not None
        port = self._config.stun_port
        try:
            for host in listen:
                port = self._engine.stun_listen(host, port).port
        except OSError as error:
            self.notes.append(
                f"No STUN: UDP port {port} cannot be used ({_reason(error)}). Choose another with --stun-port."
            )
            return
        self.stun_port = port
        self.notes.append(f"STUN on UDP {port}")


def _covers_loopback(networks: list[str]) -> bool:
    loopback = (ipaddress.ip_address(LOOPBACK), ipaddress.ip_address("::1"))
    return any(ip in ipaddress.ip_network(text, strict=False) for text in networks for ip in loopback)


def _has_ipv6_loopback() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError as error:
        return error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
    return True


def _free_udp_port(hosts: list[str]) -> int:
    """A port that is free on all of these addresses. Raises OSError."""
    for _ in range(20):
        with contextlib.ExitStack() as held:
            port = 0
            try:
                for host in hosts:
                    family = socket.AF_INET6 if ":" in host else socket.AF_INET
                    probe = held.enter_context(socket.socket(family, socket.SOCK_DGRAM))
                    probe.bind((host, port))
                    port = probe.getsockname()[1]
            except OSError:
                continue
            return port
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def _reason(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)
