"""STUN and TURN beside the signaling: what `peerline serve` starts so that its pages ask nobody else."""

from __future__ import annotations

import asyncio
import errno
import secrets
import socket
from collections.abc import Iterator, Sequence

from peerline.auth.secrets_file import load_secrets
from peerline.config import Config
from peerline.engine import Engine
from peerline.metrics import Sample
from peerline.turnserver import TurnServer, TurnSettings, make_credentials
from peerline.turnserver.addresses import (
    LOCAL_ONLY,
    broadcast_addresses,
    own_network,
    parse_ports,
    reaches_nobody,
    relay_addresses,
)
from peerline.turnserver.certificate import CertificateFiles, CertificateWatch, certificate_files, look_again
from peerline.turnserver.configured import configured_secrets, shards_of, turn_settings
from peerline.turnserver.discovery import Discovery, parse_alternates
from peerline.turnserver.opening import Opened, Wanted, open_turn
from peerline.turnserver.ports import FLAGS, reason

LOOPBACK = "127.0.0.1"


class IceServer:
    """One engine with a STUN and a TURN server on it. A port that is taken costs that server, not the others."""

    def __init__(self, config: Config) -> None:
        """Raises ConfigError if a setting makes no sense, or the secrets cannot be kept."""
        self._config = config
        self._secrets: list[str] = []
        self._secrets = self._load_secrets(config)
        self._given_files = certificate_files(config.turn_cert, config.turn_key)
        self._relays: list[tuple[str, str]] = []
        self._lan_network: str | None = None
        self._watch: CertificateWatch | None = None
        self._watching: asyncio.Task[None] | None = None
        self._engine: Engine | None = None
        self._http_port = 0
        self.turn_server: TurnServer | None = None
        self.stun_port: int | None = None
        self.turn_ports: dict[str, int] = {}
        self._alternates = parse_alternates(config.turn_alternate)
        self._discovery: Sequence[Discovery] = ()
        self._alternate_ports: list[int] = []
        self.offers_turn = False
        self.notes: list[str] = []
        self._settings(config)  # raises now, not when everything runs

    def start(
        self, hosts: list[str], *, lan: str | None, http_port: int, lan_files: CertificateFiles | None = None
    ) -> None:
        """Listen beside each of these addresses. What could not be had stands in `notes`.

        `lan_files` is the certificate that HTTPS on the LAN has; one that was configured beats it. Raises
        ConfigError for a certificate that cannot be used.
        """
        config = self._config
        listen = [*hosts, "::1"] if LOOPBACK in hosts and _has_ipv6_loopback() else hosts
        self._http_port = http_port
        try:
            self._engine = Engine(shards_of(config))
            self._engine.attach(asyncio.get_running_loop())
        except OSError as error:
            self.notes.append(f"No STUN and no TURN: {reason(error)}.")
            return
        is_shared = config.turn and config.turn_port == config.stun_port
        if config.turn:
            self._start_turn(listen, hosts, lan=lan, is_shared=is_shared, files=self._given_files or lan_files)
        if not is_shared:
            self._start_stun(listen)
        if self.turn_server is not None:
            self.turn_server.reload(self._settings(config))  # all our ports are known now, and closed to peers

    def urls(self, host: str) -> list[str]:
        """See hub.TurnOffer."""
        forms = {"udp": "turn:{}:{}", "tcp": "turn:{}:{}?transport=tcp", "tls": "turns:{}:{}?transport=tcp"}
        return [form.format(host, self.turn_ports[kind]) for kind, form in forms.items() if kind in self.turn_ports]

    def credentials(self, name: str, now_s: float, ttl_s: float) -> tuple[str, str]:
        """See hub.TurnOffer."""
        made = make_credentials(self._secrets[0].encode(), name, now_s=now_s, ttl_s=ttl_s)
        return made.username, made.password

    def reload(self, config: Config) -> None:
        """Have the relay's part of these settings in force: secrets, users, peers, limits, certificate. Ports stay.

        Raises ConfigError, and then nothing has changed.
        """
        if self.turn_server is None:
            return
        before, self._secrets = self._secrets, self._load_secrets(config)
        try:
            files = certificate_files(config.turn_cert, config.turn_key)
            self.turn_server.reload(self._settings(config))
        except BaseException:
            self._secrets = before
            raise
        look_again(self._watch, files)

    def drain(self) -> None:
        """No new allocation; those there are go on until the end."""
        if self.turn_server is not None:
            self.turn_server.drain()

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
        if self._watching is not None:
            self._watching.cancel()
        if self.turn_server is not None:
            self.turn_server.close()
        if self._engine is not None:
            self._engine.close()

    def _start_turn(
        self, listen: list[str], hosts: list[str], *, lan: str | None, is_shared: bool, files: CertificateFiles | None
    ) -> None:
        assert self._engine is not None
        config = self._config
        if lan is not None and (network := own_network(lan)) is not None:
            self._lan_network = network
            self.notes.append(f"The relay reaches the LAN, {network}, because of --lan")
        self._relays = relay_addresses(hosts, config.external_ip)
        server = TurnServer(self._engine, self._settings(config))
        ports = parse_ports(config.relay_ports)
        wanted = Wanted(listen, config.turn_port, config.turn_tls_port, files, self._relays, ports, self._alternates)
        opened = open_turn(server, wanted, needs_all=False)
        self._note_refused(opened, is_shared=is_shared)
        if not opened.addresses:
            return
        self.turn_server = server
        self.turn_ports = {kind: port for kind, _, port in opened.addresses}
        self._discovery = opened.discovery
        self._alternate_ports = [port for _, _, port in opened.alternates]
        if is_shared:
            self.stun_port = self.turn_ports.get("udp")
        what = "STUN and TURN" if self.stun_port is not None else "TURN"
        self.notes.append(f"{what} on {', '.join(f'{kind.upper()} {port}' for kind, port in self.turn_ports.items())}")
        if files is not None and "tls" in self.turn_ports:
            self._watch = CertificateWatch(files, server.reload_certificate)
            self._watching = asyncio.ensure_future(self._watch.run())
        self.offers_turn = not reaches_nobody(self._relays, server.settings.allow)
        if not self.offers_turn:
            self.notes.append(LOCAL_ONLY)

    def _note_refused(self, opened: Opened, *, is_shared: bool) -> None:
        for kind, (port, error) in opened.refused.items():
            if kind == "alternate":
                self.notes.append(f"No behaviour discovery: UDP port {port} cannot be used ({reason(error)}).")
                continue
            is_stun = is_shared and kind == "udp"
            what = "STUN and TURN" if is_stun else "TURN"
            over = "" if kind == "udp" else " over TLS" if kind == "tls" else " over TCP"
            name = "UDP port" if kind == "udp" else "port"
            flag = f"{FLAGS[kind]} and --stun-port" if is_stun else FLAGS[kind]
            self.notes.append(
                f"No {what}{over}: {name} {port} cannot be used ({reason(error)}). Choose another with {flag}."
            )

    def _settings(self, config: Config) -> TurnSettings:
        """Raises ConfigError."""
        lan = self._lan_network
        return turn_settings(
            config,
            self._secrets,
            self._relays,
            also_allow=[lan] if lan is not None else [],
            deny=broadcast_addresses(lan) if lan is not None else [],
            closed_ports=[self._http_port, *self.turn_ports.values(), *self._alternate_ports, self.stun_port or 0],
            discovery=self._discovery,
        )

    def _load_secrets(self, config: Config) -> list[str]:
        if not config.turn:
            return []
        if configured := configured_secrets(config):
            return configured
        if config.keeps_data:
            return load_secrets(config.data_dir, "turn")
        return self._secrets or [secrets.token_urlsafe(32)]

    def _start_stun(self, listen: list[str]) -> None:
        """On all addresses the same port."""
        assert self._engine is not None
        port = self._config.stun_port
        try:
            for host in listen:
                port = self._engine.stun_listen(host, port).port
        except OSError as error:
            self.notes.append(
                f"No STUN: UDP port {port} cannot be used ({reason(error)}). Choose another with --stun-port."
            )
            return
        self.stun_port = port
        self.notes.append(f"STUN on UDP {port}")


def _has_ipv6_loopback() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError as error:
        return error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
    return True
