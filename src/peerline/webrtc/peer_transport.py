"""One data path of a peer connection: an engine transport with its W3C objects (W3C WebRTC, sections 5.5, 5.6, 6.1).

A path carries one BUNDLE group, or one media section alone. The peer connection negotiates and commands; this file
knows no SDP. What the engine tells is carried out in `transport_news.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from peerline import mdns
from peerline.engine.shared import shared_engine
from peerline.engine.transport import Transport, TransportSettings, ice_credentials
from peerline.errors import InvalidAccessError
from peerline.eventloop import queue_task
from peerline.events import Event, fire
from peerline.webrtc.dtls_transport import RTCDtlsTransport
from peerline.webrtc.gathering import local_addresses, server_addresses
from peerline.webrtc.ice_candidate import RTCIceCandidate
from peerline.webrtc.ice_transport import RTCIceTransport, parameters
from peerline.webrtc.path_media import PathMedia
from peerline.webrtc.sctp_transport import RTCSctpTransport
from peerline.webrtc.transport_news import TransportNews

if TYPE_CHECKING:
    from peerline.webrtc.certificate import RTCCertificate
    from peerline.webrtc.configuration import RTCConfiguration, RTCIceServer
    from peerline.webrtc.data_channels import DataChannels
    from peerline.webrtc.ice_url import IceServerUrl
    from peerline.webrtc.transport_owner import TransportOwner
    from peerline.webrtc.tuning import Tuning


class IceCredentials(NamedTuple):
    """a=ice-ufrag and a=ice-pwd of one generation."""

    ufrag: str
    password: str


class PeerTransport:
    """Made when a description needs it; no loop has to run, and there are no sockets, before `gather`.

    `mid` and `line_index` are those of the media section that speaks for it (the BUNDLE tag): the owner sets them
    before `gather` and whenever they change; candidates carry them.
    """

    mid: str | None
    line_index: int | None

    ice: RTCIceTransport
    """Always the same object."""
    dtls: RTCDtlsTransport
    """Always the same object."""
    sctp: RTCSctpTransport | None
    """None until `expect_sctp`."""

    def __init__(
        self,
        owner: TransportOwner,
        configuration: RTCConfiguration,
        certificate: RTCCertificate,
        tuning: Tuning,
        credentials: IceCredentials | None = None,
    ) -> None:
        self.mid = self.line_index = None
        self.ice = RTCIceTransport._made()
        self.dtls = RTCDtlsTransport._made(self.ice)
        self.sctp = None
        self.channels: DataChannels | None = None
        self.owner = owner
        self.engine: Transport | None = None
        self.media = PathMedia()
        self._configuration = configuration
        self._certificate = certificate
        self._tuning = tuning
        self._is_controlling = False
        self._credentials = credentials or self.new_credentials()
        self._before_restart: IceCredentials | None = None
        self._gathered: str | None = None
        self._remote: IceCredentials | None = None
        self._next_remote: IceCredentials | None = None
        self._waiting: list[RTCIceCandidate] = []
        self._dtls: tuple[bool, list[str]] | None = None
        self._ports: tuple[int, int, int] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._news = TransportNews(self)
        self.ice._local_parameters = parameters(*self._credentials)

    # ICE -------------------------------------------------------------------------------------------

    @property
    def credentials(self) -> IceCredentials:
        """Ours, of the generation that the local description speaks of (the one of a restart under way included)."""
        return self._credentials

    def set_configuration(self, configuration: RTCConfiguration) -> None:
        """Servers and policy for the next generation of candidates."""
        self._configuration = configuration

    def set_controlling(self, is_controlling: bool) -> None:
        """Our role in ICE: the offerer of the first description controls. To be said before `gather`."""
        self._is_controlling = is_controlling
        self.ice._role = "controlling" if is_controlling else "controlled"
        if self.engine is not None:
            self.engine.set_controlling(is_controlling)

    def gather(self) -> None:
        """Begin a generation of candidates; nothing if the current one has begun already.

        Host candidates do not wait for the names or answers of servers. Raises LoopError if no loop runs.
        """
        if self._gathered == self._credentials.ufrag or self._news.is_closed:
            return
        self._gathered = self._credentials.ufrag
        engine = self._open()
        self._news.gathering_began()
        engine.gather(local_addresses(self._tuning))
        self._spawn(self._ask_servers(engine, self._gathered))

    def set_remote_credentials(self, ufrag: str, password: str) -> None:
        """Of the remote description, as often as one is set. Other than before means that the other side restarts: they
        are kept, with the candidates that belong to them, until `restart` of ours."""
        new = IceCredentials(ufrag, password)
        if new == self._remote:
            # A restart of theirs that was rolled back.
            self._next_remote = None
        elif self._remote is None or self._before_restart is not None:
            self._take_remote(new)
        else:
            self._next_remote = new

    def add_remote_candidate(self, candidate: RTCIceCandidate) -> None:
        """Of a description or of addIceCandidate, in either generation (`usernameFragment`; None: the newest).

        A name (….local) is looked up meanwhile and dropped if nobody answers. `candidate == ""` ends the generation.
        """
        newest = self._next_remote or self._remote
        ufrag = candidate.usernameFragment
        if (
            self.engine is None
            or self._remote is None
            or (self._next_remote and ufrag in (None, newest and newest.ufrag))
        ):
            self._waiting.append(candidate)
        elif ufrag in (None, self._remote.ufrag):
            self._add(candidate)

    @staticmethod
    def new_credentials() -> IceCredentials:
        """For a restart that createOffer or createAnswer proposes; nothing is changed by them."""
        return IceCredentials(*ice_credentials())

    def restart(self, credentials: IceCredentials) -> None:
        """A local description with new credentials was set: a new generation; `gather` follows."""
        self._before_restart, self._credentials = self._credentials, credentials
        self.ice._local_parameters = parameters(*credentials)
        self.ice._local = []
        if self.engine is not None:
            self.engine.restart(*credentials)
        if self._next_remote is not None:
            self._take_remote(self._next_remote)

    def abort_restart(self) -> None:
        """The description that restarted was rolled back: the generation before goes on."""
        if self._before_restart is not None:
            self._credentials, self._before_restart = self._before_restart, None
            self._gathered = self._credentials.ufrag
            self.ice._local_parameters = parameters(*self._credentials)
            if self.engine is not None:
                self.engine.abort_restart()

    # DTLS ------------------------------------------------------------------------------------------

    @property
    def certificate(self) -> RTCCertificate:
        """Ours."""
        return self._certificate

    @property
    def dtls_role(self) -> str:
        """ "client", "server", or "unknown" before the answer."""
        return "unknown" if self._dtls is None else "client" if self._dtls[0] else "server"

    @property
    def selected_pair_changes(self) -> int:
        """How often another pair was selected."""
        return self._news.pairs

    @property
    def remote_certificates(self) -> list[bytes]:
        """What the other side has shown, as DER."""
        return self.dtls.getRemoteCertificates()

    @property
    def news(self) -> TransportNews:
        """What the engine has told of it."""
        return self._news

    def start_dtls(self, is_client: bool, fingerprints: Sequence[str]) -> None:
        """The answer is there: `fingerprints` as in a=fingerprint ("sha-256 AB:CD:…"). Twice is fine.

        Raises InvalidAccessError if none of them is of a known kind.
        """
        if self._dtls is None:
            usable = [
                text for text in fingerprints if text.partition(" ")[0].lower() in ("sha-256", "sha-384", "sha-512")
            ]
            if not usable:
                raise InvalidAccessError(
                    "no fingerprint of the other side's certificate is of a kind that can be trusted"
                )
            self._dtls = is_client, usable
            if self.engine is not None:
                self.engine.start_dtls(is_client, usable)
                self._start_sctp()

    # SCTP ------------------------------------------------------------------------------------------

    def expect_sctp(self, channels: DataChannels) -> RTCSctpTransport:
        """An offer has data channels: they may use this path."""
        if self.sctp is None:
            self.sctp = RTCSctpTransport._made(self.dtls)
            self.channels = channels
        return self.sctp

    def start_sctp(self, local_port: int, remote_port: int, remote_max_message_size: int | None) -> RTCSctpTransport:
        """The answer has them: they use it from now on. `remote_max_message_size` as in the remote description: None if
        it says nothing, 0 if it has no limit. Called again it sets that size alone."""
        sctp = self.sctp
        assert sctp is not None, "an offer comes before its answer"
        sctp._set_remote_max(remote_max_message_size)
        if self.channels is not None:
            self.channels.resized(sctp)
        size = 65536 if remote_max_message_size is None else remote_max_message_size
        if self._ports is None:
            self._ports = local_port, remote_port, size
            self._start_sctp()
        elif self.engine is not None:
            self.engine.set_remote_max_message_bytes(size)
        return sctp

    def drop_sctp(self) -> None:
        """The section was rolled back or rejected."""
        sctp, self.sctp = self.sctp, None
        if self.channels is not None:
            self.channels.lose(self, "the descriptions have no data channels any more")
        self.channels, self._ports = None, None
        if sctp is not None:
            sctp._state = "closed"

    def take_sctp(self, other: PeerTransport) -> None:
        """BUNDLE has moved it here before it was started."""
        self.sctp, self.channels = other.sctp, other.channels
        other.sctp = other.channels = None
        if self.sctp is not None:
            self.sctp._transport = self.dtls

    # The whole -------------------------------------------------------------------------------------

    async def stats(self) -> dict[str, Any] | None:
        """The engine's counters; None before there are any."""
        return await self.engine.stats() if self.engine is not None else None

    def close(self) -> None:
        """Close all, with no event (the connection's own close). Twice is fine."""
        self._news.is_closed = True
        self.ice._state = "closed"
        self.dtls._state = "closed" if self.dtls._state != "failed" else "failed"
        if self.sctp is not None and self.sctp._state != "closed":
            self.sctp._state = "closed"
            if asyncio._get_running_loop() is not None:
                # No specification asks for this event; browsers fire it.
                queue_task("networking", fire, self.sctp, Event("statechange"))
        self._release()

    def end(self) -> None:
        """No section uses it any more (BUNDLE took them): close all; its objects fire their events to the end."""
        if not self._news.is_closed:
            self._news.ended()
            self._release()

    # Inside ----------------------------------------------------------------------------------------

    def _open(self) -> Transport:
        if self.engine is None:
            settings = TransportSettings(
                certificate=self._certificate._core,
                ufrag=self._credentials.ufrag,
                password=self._credentials.password,
                is_controlling=self._is_controlling,
                is_relay_only=self._configuration.iceTransportPolicy == "relay",
                ports=self._tuning.ports,
                shared_port=self._tuning.port,
                advertised=self._tuning.advertised,
                dtls_versions=self._tuning.dtls_versions,
                max_message_bytes=self._tuning.max_message_bytes,
            )
            self.engine = Transport(shared_engine(), settings, self._news)
            if self._remote is not None:
                self.engine.set_remote_credentials(*self._remote)
            self._flush_candidates()
            if self._dtls is not None:
                self.engine.start_dtls(*self._dtls)
            self._start_sctp()
            self.media.use(self.engine)
        return self.engine

    def _start_sctp(self) -> None:
        if self._ports is None or self._dtls is None:
            return
        if self.engine is not None:
            self.engine.start_sctp(*self._ports)
        if self.channels is not None:
            self.channels.use(self)

    def _take_remote(self, credentials: IceCredentials) -> None:
        self._remote, self._next_remote = credentials, None
        self.ice._remote_parameters = parameters(*credentials)
        self.ice._remote = []
        if self.engine is not None:
            self.engine.set_remote_credentials(*credentials)
            self._flush_candidates()

    def _flush_candidates(self) -> None:
        if self._remote is None:
            return
        waiting, self._waiting = self._waiting, []
        for candidate in waiting:
            self.add_remote_candidate(candidate)

    def _add(self, candidate: RTCIceCandidate) -> None:
        assert self.engine is not None
        if not candidate.candidate:
            self.engine.end_of_remote_candidates()
            return
        self.ice._remote.append(candidate)
        address = candidate.address
        if address is None or candidate.protocol != "udp":
            return
        if mdns.is_mdns_name(address):
            self._spawn(self._resolve(candidate, address))
        else:
            self.engine.add_remote_candidate(candidate.candidate)

    async def _resolve(self, candidate: RTCIceCandidate, name: str) -> None:
        ufrag = self._remote.ufrag if self._remote is not None else None
        for ip in await mdns.resolve(name):
            if self.engine is not None and self._remote is not None and self._remote.ufrag == ufrag:
                words = candidate.candidate.split(" ")
                words[4] = ip
                self.engine.add_remote_candidate(" ".join(words))

    async def _ask_servers(self, engine: Transport, ufrag: str) -> None:
        servers = self._configuration.servers()
        await asyncio.gather(*(self._ask(engine, url, server, ufrag) for url, server in servers))
        if self._gathered == ufrag and self.engine is engine:
            engine.asked_all()

    async def _ask(self, engine: Transport, url: IceServerUrl, server: RTCIceServer, ufrag: str) -> None:
        found = await server_addresses(url.host, url.port)
        if self._gathered != ufrag or self.engine is not engine:
            return
        if not found:
            self._news.candidate_failed(None, None, url.url, 701, "the server's name is not known")
        # A relay tells how it sees us as any STUN server does.
        if url.transport == "udp":
            for ip in found:
                engine.ask_stun(ip, url.port, url.url)
        if url.is_turn:
            # Several addresses of one family are one server.
            for ip in {":" in ip: ip for ip in reversed(found)}.values():
                self._ask_relay(engine, ip, url, server)

    def _ask_relay(self, engine: Transport, ip: str, url: IceServerUrl, server: RTCIceServer) -> None:
        name, username, password = url.host.strip("[]"), server.username or "", server.credential or ""
        try:
            engine.ask_turn(url.transport, ip, url.port, name, username, password, url.url)
        except OSError as error:
            self._news.candidate_failed(None, None, url.url, 701, str(error))

    def _spawn(self, work: object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _release(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self.engine is not None:
            self.engine.close()
            self.engine = None
            self.media.use(None)
