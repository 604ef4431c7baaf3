"""Who is examined: where the server is, what it told us, and what the checks have found out so far."""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass, field

import msgspec

from peerline.doctor.http import Http, UnreachableError, UntrustedError
from peerline.doctor.identity import Identity
from peerline.doctor.stun.address import Address
from peerline.doctor.stun.behaviour import Behaviour
from peerline.doctor.stun.client import StunClient
from peerline.doctor.stun.errors import LinkLostError
from peerline.doctor.stun.link import connect
from peerline.doctor.stun.url import IceUrl, Transport, parse_url, resolve
from peerline.errors import ConfigError, PeerlineError
from peerline.server_url import ServerUrl, parse_server
from peerline.signaling import messages as m
from peerline.turnserver.addresses import own_addresses


@dataclass(frozen=True, slots=True)
class IceServer:
    """One address of a STUN or TURN server, and what opens it."""

    url: IceUrl
    username: str = ""
    password: str = field(default="", repr=False)


@dataclass(slots=True)
class Facts:
    """What was measured, for the picture of the path."""

    local: Address | None = None
    mapped: Address | None = None
    """How the server sees us."""
    behaviour: Behaviour | None = None
    is_udp_blocked: bool = False
    """Nothing came back, and nobody said that nobody listens."""
    server: str = ""
    """The IP address of the STUN and TURN server."""
    round_trips_s: dict[str, float] = field(default_factory=dict)
    """By what was measured: "WebSocket", "STUN udp", "relay udp" …"""
    relayed: dict[Transport, Address] = field(default_factory=dict)
    """Addresses that the relay gave us."""


class Patient:
    """`server` None: only the TURN servers given by hand are looked at."""

    def __init__(
        self,
        server: ServerUrl | None,
        identity: Identity,
        *,
        token: str | None = None,
        given: tuple[IceServer, ...] = (),
    ) -> None:
        self.server = server
        self.identity = identity
        self.token = token
        self.facts = Facts()
        self.address = ""
        """The server's IP address."""
        self.is_trusted = True
        self.distrust = ""
        """Why the certificate is not accepted."""
        self.clock_ahead_s: float | None = None
        """How far the server's clock is ahead of ours."""
        self._given = given
        self._told: tuple[IceServer, ...] = ()
        self.strict_tls = ssl.create_default_context()
        # For looking at a server whose certificate is wrong: the check of the certificate says so already.
        self.lax_tls = ssl.create_default_context()
        self.lax_tls.check_hostname = False
        self.lax_tls.verify_mode = ssl.CERT_NONE

    # The server --------------------------------------------------------------------------------------

    @property
    def tls(self) -> ssl.SSLContext:
        """For whatever goes to the server itself."""
        return self.strict_tls if self.is_trusted else self.lax_tls

    @property
    def http(self) -> Http:
        """Raises nothing by itself."""
        assert self.server is not None
        return Http(self.server, self.tls)

    async def reach(self) -> None:
        """Is there a Peerline server at all? Raises UnreachableError."""
        assert self.server is not None
        try:
            reply = await self.http.ask("GET", "/healthz")
        except UntrustedError as error:
            self.is_trusted, self.distrust = False, error.message
            reply = await self.http.ask("GET", "/healthz")
        location = reply.headers.get("location", "")
        if 300 <= reply.status < 400 and location.startswith("https://") and not self.server.is_secure:
            try:
                self.server = parse_server(location.removesuffix("/healthz"))
            except ConfigError as error:
                raise UnreachableError(f"{self.server} leads to nowhere: {error.message}") from error
            await self.reach()
            return
        try:
            is_ours = msgspec.json.decode(reply.body)["status"] in ("ok", "draining")
        except (msgspec.DecodeError, KeyError, TypeError):
            is_ours = False
        if not is_ours:
            raise UnreachableError(
                f"what answers at {self.server} is no Peerline server (status {reply.status})", code="stranger",
                hint="Is it the right port? Where a proxy is in front, does it lead to `peerline serve`?",
            )  # fmt: skip
        self.address = (await resolve(self.server.host, self.server.port))[0]

    @property
    def is_local(self) -> bool:
        """Whether the server runs on this machine."""
        if self.server is not None and self.server.is_this_computer:
            return True
        return self.address in own_addresses()

    def hello(self, dev: str) -> m.Hello:
        """The first message. Raises PeerlineError where it would give a token away."""
        if self.token is None:
            return m.Hello([m.PROTOCOL_VERSION], dev, name=self.identity.name, own=self.identity.own)
        if not self.is_trusted:
            raise PeerlineError(
                "the token stays here: nobody vouches for the server that asks for it", code="certificate",
                hint="SSL_CERT_FILE=certificate.pem peerline doctor …  (with the certificate that you trust)",
            )  # fmt: skip
        return m.Hello([m.PROTOCOL_VERSION], dev, tok=self.token)

    def welcomed(self, welcome: m.Welcome, asked_s: float) -> None:
        """Keep what the server told us. `asked_s`: when we said hello, in seconds since 1970."""
        now_s = time.time()
        self.clock_ahead_s = welcome.now / 1000 - (asked_s + now_s) / 2
        told = []
        for server in welcome.ice.servers:
            for url in server.urls:
                try:
                    parsed = parse_url(url)
                except ConfigError:
                    continue  # a browser leaves out what it does not understand, too
                told.append(IceServer(parsed, _text(server.username), _text(server.credential)))
        self._told = tuple(told)

    # STUN and TURN -----------------------------------------------------------------------------------

    @property
    def ice_servers(self) -> tuple[IceServer, ...]:
        """Those given by hand, else those that the server told us."""
        return self._given or self._told

    def relay(self, transport: Transport) -> IceServer | None:
        """A TURN server that is spoken to like this."""
        return next((one for one in self.ice_servers if one.url.is_turn and one.url.transport == transport), None)

    def stun(self, transport: Transport) -> IceServer | None:
        """A server that answers Bindings; a TURN server does, too."""
        found = [one for one in self.ice_servers if one.url.transport == transport]
        return min(found, key=lambda one: one.url.is_turn, default=None)

    async def client(self, server: IceServer) -> StunClient:
        """Connected to this server. Raises LinkLostError."""
        address = await server.url.resolve()
        try:
            link = await connect(server.url.transport, address, tls=self.strict_tls, name=server.url.host)
        except LinkLostError as error:
            if error.code != "certificate":
                raise
            link = await connect(server.url.transport, address, tls=self.lax_tls, name=server.url.host)
        return StunClient(link)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
