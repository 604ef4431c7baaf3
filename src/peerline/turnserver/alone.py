"""What `peerline turn` runs: a TURN server by itself, from the first line it prints to the last relay it waits for."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import secrets
from collections.abc import Callable, Sequence

from peerline.config import Config
from peerline.descriptor_limit import low_limit_note, raise_descriptor_limit
from peerline.engine import Engine
from peerline.errors import ConfigError, PeerlineError
from peerline.signals import on_signals
from peerline.turnserver.addresses import LOCAL_ONLY, numeric_host, parse_ports, reaches_nobody, relay_addresses
from peerline.turnserver.certificate import CertificateWatch, certificate_files, look_again
from peerline.turnserver.configured import configured_secrets, shards_of, turn_settings
from peerline.turnserver.discovery import Discovery, parse_alternates
from peerline.turnserver.opening import Wanted, open_turn
from peerline.turnserver.ports import FLAGS, reason
from peerline.turnserver.server import TurnServer
from peerline.turnserver.settings import TurnSettings

log = logging.getLogger("peerline.turn")


class Alone:
    """One TURN server, one process."""

    def __init__(
        self,
        config: Config,
        read_again: Callable[[], Config],
        *,
        shards: int | None = None,
        drain_s: float = 10.0,
        answers_strangers_without_limit: bool = False,
    ) -> None:
        """`read_again` gives the settings as they are at SIGHUP. Raises ConfigError."""
        self._read_again = read_again
        self._shards = shards_of(config, shards)
        self._drain_s = drain_s
        self._answers_without_limit = answers_strangers_without_limit
        self._made: list[str] = []
        if not config.turn_user and not config.rest_secret:
            self._made = [secrets.token_urlsafe(32)]
        self._hosts = [numeric_host(host.strip()) for host in config.host.split(",")]
        self._relays = relay_addresses(self._hosts, config.external_ip)
        self._closed_ports: list[int] = []
        files = certificate_files(config.turn_cert, config.turn_key)
        ports = parse_ports(config.relay_ports)
        alternates = parse_alternates(config.turn_alternate)
        self._discovery: Sequence[Discovery] = ()
        self._wanted = Wanted(
            self._hosts, config.turn_port, config.turn_tls_port, files, self._relays, ports, alternates
        )
        self._first_settings = self._settings(config)
        self._server: TurnServer | None = None
        self._watch: CertificateWatch | None = None

    async def run(self) -> None:
        """Print `listening …` when ready, serve until told to stop. Raises PeerlineError if a port is taken."""
        note = low_limit_note(raise_descriptor_limit())
        leave, leave_at_once = asyncio.Event(), asyncio.Event()

        def told_to_leave() -> None:
            (leave_at_once if leave.is_set() else leave).set()

        with _engine(self._shards) as engine, contextlib.ExitStack() as stack:
            engine.attach(asyncio.get_running_loop())
            server = self._server = TurnServer(engine, self._first_settings)
            self._open(server)
            if self._wanted.certificate is not None:
                self._watch = CertificateWatch(self._wanted.certificate, server.reload_certificate)
                stack.callback(asyncio.ensure_future(self._watch.run()).cancel)
            on_signals(leave=told_to_leave, reload=self.reload)
            self._announce(note)
            await leave.wait()
            await self._drain(server, leave_at_once)

    def reload(self) -> None:
        """Have settings and certificate as they are now in force. Ports stay."""
        assert self._server is not None
        try:
            config = self._read_again()
            files = certificate_files(config.turn_cert, config.turn_key)
            self._server.reload(self._settings(config))
        except (ConfigError, ValueError) as error:
            log.error("the settings stay as they were: %s", error)
            return
        log.info("settings read again; ports stay as they are")
        look_again(self._watch, files)

    def _settings(self, config: Config) -> TurnSettings:
        known = self._made or configured_secrets(config)
        settings = turn_settings(
            config, known, self._relays, closed_ports=self._closed_ports, discovery=self._discovery
        )
        return dataclasses.replace(settings, answers_per_second=None) if self._answers_without_limit else settings

    def _open(self, server: TurnServer) -> None:
        opened = open_turn(server, self._wanted, needs_all=True)
        for kind, (port, error) in opened.refused.items():
            if kind == "alternate":
                raise PeerlineError(
                    f"UDP port {port} cannot be used for behaviour discovery: {reason(error)}",
                    code="unavailable",
                    hint="--turn-alternate names another address of this host, and perhaps a port: 192.0.2.2:3479.",
                )
            raise PeerlineError(
                f"{kind.upper()} port {port} on {', '.join(self._hosts)} cannot be used: {reason(error)}",
                code="unavailable",
                hint=f"Choose another with {FLAGS[kind]}, or any free one with {FLAGS[kind]} 0.",
            )
        self._addresses = [*opened.addresses, *opened.alternates]
        self._discovery = opened.discovery
        self._closed_ports = sorted({port for _, _, port in self._addresses})
        known = dataclasses.replace(server.settings, closed_ports=self._closed_ports, discovery=list(self._discovery))
        server.reload(known)

    def _announce(self, note: str | None) -> None:
        assert self._server is not None
        for kind, host, port in self._addresses:
            print(f"listening {kind} {f'[{host}]' if ':' in host else host}:{port}", flush=True)
        if self._made:
            print(f"rest-secret {self._made[0]}  (made for this run; --rest-secret or --user chooses)", flush=True)
        if reaches_nobody(self._relays, self._server.settings.allow):
            print(LOCAL_ONLY, flush=True)
        if note is not None:
            print(note, flush=True)

    async def _drain(self, server: TurnServer, leave_at_once: asyncio.Event) -> None:
        server.drain()
        drained, hurried = asyncio.ensure_future(server.drained()), asyncio.ensure_future(leave_at_once.wait())
        count = len(await server.allocations())
        if count:
            print(f"draining {count} relays, {self._drain_s:g} s at most; the same signal again ends now", flush=True)
        await asyncio.wait([drained, hurried], timeout=self._drain_s, return_when=asyncio.FIRST_COMPLETED)
        for task in (drained, hurried):
            task.cancel()
        await asyncio.gather(drained, hurried, return_exceptions=True)


def _engine(shards: int | None) -> Engine:
    try:
        return Engine(shards)
    except OSError as error:
        raise PeerlineError(
            f"the packet core cannot start: {reason(error)}", code="unavailable", hint="Ask for fewer --shards."
        ) from error
