"""The stand-alone server: sockets, signals, STUN, and what it says when it is ready."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import logging
import os
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

import segno
import uvicorn
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from peerline import __version__
from peerline.config import Config
from peerline.descriptor_limit import low_limit_note, raise_descriptor_limit
from peerline.errors import ConfigError
from peerline.server.app import create_app
from peerline.server.echo import run_echo
from peerline.server.fast_websocket import fast_websocket
from peerline.server.http_protocol import patient_for
from peerline.server.ice import IceServer
from peerline.server.lan import LanIdentity, lan_address, lan_identity
from peerline.server.listener import SortingListener, bind
from peerline.server.service import Service
from peerline.signals import on_signals
from peerline.turnserver.addresses import numeric_host
from peerline.turnserver.certificate import CertificateFiles

log = logging.getLogger("peerline.server")

LOOPBACK = "127.0.0.1"
SHUTDOWN_S = 3


def serve(config: Config, read_again: Callable[[], Config] | None = None) -> None:
    """Serve until SIGINT or SIGTERM. At SIGHUP, `read_again` gives the settings as they are then.

    Raises ConfigError if it cannot begin.
    """
    os.umask(0o077)  # whatever we write is the owner's only
    if sys.platform == "win32":
        asyncio.run(_serve(config, read_again))
    else:
        import uvloop

        uvloop.run(_serve(config, read_again))


async def _serve(config: Config, read_again: Callable[[], Config] | None) -> None:
    server = StandAlone(config, read_again)
    await server.run()


class StandAlone:
    """One process, one port: everything `peerline serve` does."""

    def __init__(self, config: Config, read_again: Callable[[], Config] | None = None) -> None:
        self.config = config
        self._read_again = read_again
        self._descriptors = raise_descriptor_limit()
        if config.keeps_data:
            _make_data_dir(config)
        self.app = create_app(config)
        self.service: Service = self.app.state.service
        self.port = 0
        self.lan: LanIdentity | None = None
        self.ice = IceServer(config)
        self._echo: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Everything, in order."""
        config = self.config
        lan_host = None
        if config.lan:
            is_default = config.host in (LOOPBACK, "0.0.0.0", "localhost")
            lan_host = lan_address() if is_default else numeric_host(config.host)
            self.lan = lan_identity(lan_host, config.data_dir)
        hosts = [numeric_host(config.host)]
        if lan_host is not None:
            hosts = [LOOPBACK, lan_host]
        sockets = self._bind(hosts)
        try:
            await self.service.start()
            self._start_ice(hosts, lan_host)
            server = _Server(self._uvicorn(self.app), self, sockets)
            await server.serve()
        finally:
            if self._echo is not None:
                self._echo.cancel()
            for sock in sockets:
                sock.close()
            self.ice.close()

    def protocol(self, uvicorn_config: uvicorn.Config, state: Any) -> asyncio.Protocol:
        """A connection's HTTP protocol."""
        make: Any = uvicorn_config.http_protocol_class
        protocol: asyncio.Protocol = make(config=uvicorn_config, server_state=state, app_state={})
        return protocol

    def redirect(self) -> uvicorn.Config:
        """What plain HTTP gets on the LAN address: the way to HTTPS."""
        return self._uvicorn(_to_https)

    def reload(self) -> None:
        """Read the settings again. Those of the relay are in force at once, the others take a restart."""
        try:
            self.ice.reload(self._read_again() if self._read_again is not None else self.config)
        except (ConfigError, ValueError) as error:
            log.error("the settings stay as they were: %s", error)
        else:
            log.info("settings read again: those of the relay are in force, the others take a restart")

    def start_echo(self) -> None:
        """Somebody to call when nobody else is there."""
        if self.config.echo:
            self._echo = asyncio.ensure_future(run_echo(self.service, self.config, self.port))

    def drain(self) -> None:
        """Nobody new: clients are told to come back, and no relay is made any more."""
        self.service.hub.drain()
        self.ice.drain()

    def announce(self) -> None:
        """Say where the server is. The first line is for programs, too: flushed, and nothing before it."""
        print(f"http://localhost:{self.port}", flush=True)
        for line in self._greeting():
            if self.config.json_logs:
                log.info(line)
            else:
                print(line)
        if self.lan is not None and not self.config.json_logs:
            segno.make(f"https://{self.lan.address}:{self.port}/", error="l").terminal(compact=True, border=2)
        sys.stdout.flush()

    def _greeting(self) -> Iterator[str]:
        config = self.config
        kept = "in memory" if config.database in (None, "memory:") else "in a database"
        yield f"peerline {__version__} · names and call history {kept} · registration {config.auth}"
        if self.lan is not None:
            yield f"On the LAN: https://{self.lan.address}:{self.port}  (accept the warning once, after comparing:)"
            yield f"SHA-256 {self.lan.fingerprint}"
        elif config.host not in (LOOPBACK, "::1", "localhost"):
            yield f"Listening on {config.host}: everybody who reaches it can register. Cameras work over HTTPS only."
        yield from self.ice.notes
        if (note := low_limit_note(self._descriptors)) is not None:
            yield note

    def _start_ice(self, hosts: list[str], lan: str | None) -> None:
        """STUN and TURN beside each address; without them the page still works on one network."""
        ice, hub = self.ice, self.service.hub
        files = CertificateFiles(self.lan.path, self.lan.path) if self.lan is not None else None
        ice.start(hosts, lan=lan, http_port=self.port, lan_files=files)
        hub.stun_port = ice.stun_port
        hub.turn = ice if ice.offers_turn else None
        self.service.turn = ice.turn_server
        self.service.more_samples.append(ice.samples)

    def _uvicorn(self, app: ASGIApp) -> uvicorn.Config:
        config = uvicorn.Config(
            app, http=patient_for(self.config.signaling.hello_timeout_s), lifespan="off", log_config=None,
            access_log=False, server_header=False, date_header=True, proxy_headers=False,
            timeout_graceful_shutdown=SHUTDOWN_S,
            ws=fast_websocket(self.service.hub, self.service.dispatcher),  # type: ignore[arg-type]
        )  # fmt: skip
        config.load()
        return config

    def _bind(self, hosts: list[str]) -> list[socket.socket]:
        sockets: list[socket.socket] = []
        self.port = self.config.port
        for host in hosts:
            try:
                sockets.append(bind(host, self.port))
            except OSError as error:
                for sock in sockets:
                    sock.close()
                raise ConfigError(
                    f"cannot listen on {host} port {self.port}: {os.strerror(error.errno or 0)}",
                    hint="Is another server running? Choose another port with --port, or any free one with --port 0.",
                ) from error
            self.port = sockets[0].getsockname()[1]
        return sockets


class _Server(uvicorn.Server):
    """uvicorn with our sockets, our signals and our farewell."""

    def __init__(self, config: uvicorn.Config, owner: StandAlone, sockets: list[socket.socket]) -> None:
        super().__init__(config)
        self._owner = owner
        self._sockets = sockets
        self._sorting: list[SortingListener] = []

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        on_signals(leave=self._leave, reload=self._owner.reload)
        await self._serve(self._sockets if self._owner.lan is None else [])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        owner = self._owner
        if owner.lan is not None:
            secure = functools.partial(owner.protocol, self.config, self.server_state)
            redirect = functools.partial(owner.protocol, owner.redirect(), self.server_state)
            for sock in self._sockets:
                is_here = sock.getsockname()[0] == LOOPBACK
                listener = SortingListener(
                    sock, owner.lan.context, secure=secure, plain=secure if is_here else redirect
                )
                listener.start()
                self._sorting.append(listener)
        # The collector would stop the world for 350 ms at ten thousand sockets, for hardly any garbage.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 50, 50)
        owner.announce()
        owner.start_echo()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listener in self._sorting:
            await listener.close()
        await super().shutdown(sockets)
        await self._owner.service.close()

    def _leave(self) -> None:
        if self.should_exit:
            self.force_exit = True
        self._owner.drain()
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _to_https(scope: Scope, receive: Receive, send: Send) -> None:
    """Plain HTTP away from this machine: no camera works there."""
    if scope["type"] != "http":
        return
    headers = dict(scope["headers"])
    host = headers.get(b"host", b"").decode("latin-1")
    target = f"https://{host}{scope['path']}" if host else "/"
    await RedirectResponse(target, 307)(scope, receive, send)


def _make_data_dir(config: Config) -> None:
    try:
        config.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(
            f"the data folder {config.data_dir} cannot be made: {error.strerror}",
            hint="Choose another with --data-dir.",
        ) from error
