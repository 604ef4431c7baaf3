"""The relay inside `peerline serve`: who gets it, on which ports, and what its operator can do while it runs."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from client import Client
from client.certificates import make_certificate, trusting
from client.turn import TurnClient
from peerline.errors import ConfigError
from peerline.server.lan import lan_address
from system.conftest import Enter, Serve, until
from system.ports import occupied
from system.server_process import PEERLINE, ServerProcess

LOOPBACK = ("--allow-peer", "127.0.0.0/8")
Relay = Callable[..., Awaitable[TurnClient]]


class Offer:
    """What a signed-in client was told of the relay."""

    def __init__(self, client: Client) -> None:
        told = [server for server in client.welcome["ice"]["servers"] if "username" in server]
        self.urls: list[str] = [url for server in told for url in server["urls"]]
        self.name: str = told[0]["username"] if told else ""
        self.password: str = told[0]["credential"] if told else ""

    def port(self, kind: str) -> int:
        form = {"udp": r"turn:[^:]+:(\d+)", "tcp": r"turn:[^:]+:(\d+)\?transport=tcp"}
        form["tls"] = r"turns:[^:]+:(\d+)\?transport=tcp"
        (port,) = [int(match[1]) for url in self.urls if (match := re.fullmatch(form[kind], url))]
        return port


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    opened: list[TurnClient] = []

    async def connect(
        offer: Offer, kind: str = "udp", *, port: int | None = None, trust: ssl.SSLContext | None = None
    ) -> TurnClient:
        address = ("127.0.0.1", port or offer.port(kind))
        opened.append(await TurnClient.connect(address, offer.name, offer.password, kind=kind, trust=trust))
        return opened[-1]

    yield connect
    for client in opened:
        client.close()


def refused(folder: Path, *flags: str) -> str:
    """What a server says that does not start because of its settings."""
    command = [PEERLINE, "serve", "--port", "0", "--stun-port", "0", "--turn-port", "0", "--data-dir", str(folder)]
    ended = subprocess.run([*command, *flags], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2, ended.stderr
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    return ended.stderr


async def test_who_is_signed_in_is_offered_every_transport_and_each_relays(
    serve: Serve, enter: Enter, relay: Relay, tmp_path: Path
) -> None:
    chain, key = make_certificate(tmp_path)
    tls = ("--turn-cert", str(chain), "--turn-key", str(key), "--turn-tls-port", "0")
    server = serve("--no-db", *LOOPBACK, *tls)
    offer = Offer(await enter(server, "Ann"))
    assert len(offer.urls) == 3
    assert offer.port("udp") == offer.port("tcp") != offer.port("tls")
    for kind in ("udp", "tcp", "tls"):
        assert (await (await relay(offer, kind, trust=trusting(chain))).allocate())[0] == 0
    said = f"STUN and TURN on UDP {offer.port('udp')}, TCP {offer.port('tcp')}, TLS {offer.port('tls')}"
    assert said in server.printed()


async def test_without_a_certificate_there_is_no_tls(serve: Serve, enter: Enter) -> None:
    server = serve("--no-db", *LOOPBACK)
    offer = Offer(await enter(server, "Ann"))
    assert len(offer.urls) == 2
    assert not [url for url in offer.urls if url.startswith("turns:")]


async def test_on_localhost_alone_nobody_is_offered_a_relay_and_the_line_that_helps_is_printed(
    serve: Serve, enter: Enter
) -> None:
    server = serve("--no-db")
    assert Offer(await enter(server, "Ann")).urls == []
    assert "No relay on localhost alone: it would reach nobody. --allow-peer 127.0.0.0/8" in server.printed()


async def test_credentials_outlive_a_restart_unless_nothing_is_kept(serve: Serve, enter: Enter, relay: Relay) -> None:
    for flags, expected in (((), 0), (("--no-db",), 401)):
        server = serve(*flags, *LOOPBACK)
        before = Offer(await enter(server, "Ann"))
        assert server.stop() == 0
        server.start()
        after = Offer(await enter(server, "Bob"))
        client = await relay(before, port=after.port("udp"))
        assert (await client.allocate())[0] == expected
        assert (server.folder / "secrets.toml").exists() == (expected == 0)


@pytest.mark.parametrize("kind", ["udp", "tcp", "tls"])
async def test_a_port_that_is_taken_costs_that_transport_only(
    serve: Serve, enter: Enter, relay: Relay, tmp_path: Path, kind: str
) -> None:
    chain, key = make_certificate(tmp_path)
    ports = {"--turn-port": "0", "--turn-tls-port": "0", "--turn-cert": str(chain), "--turn-key": str(key)}
    with occupied(kind) as port:
        ports["--turn-tls-port" if kind == "tls" else "--turn-port"] = str(port)
        flags = [text for pair in ports.items() for text in pair]
        server = serve("--no-db", *LOOPBACK, *flags)
        over = {"udp": "TURN: UDP port", "tcp": "TURN over TCP: port", "tls": "TURN over TLS: port"}[kind]
        flag = "--turn-tls-port" if kind == "tls" else "--turn-port"
        note = f"No {over} {port} cannot be used (Address already in use). Choose another with {flag}."
        offer = Offer(await enter(server, "Ann"))
        assert note in server.printed()
        assert len(offer.urls) == 2
        for other in {"udp", "tcp", "tls"} - {kind}:
            assert (await (await relay(offer, other, trust=trusting(chain))).allocate())[0] == 0


async def test_the_relay_leads_to_none_of_our_own_ports(
    serve: Serve, enter: Enter, relay: Relay, tmp_path: Path
) -> None:
    chain, key = make_certificate(tmp_path)
    tls = ("--turn-cert", str(chain), "--turn-key", str(key), "--turn-tls-port", "0")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        stun = free.getsockname()[1]
    server = serve("--no-db", *LOOPBACK, *tls, "--stun-port", str(stun))
    offer = Offer(await enter(server, "Ann"))
    ann = await relay(offer)
    assert (await ann.allocate())[0] == 0
    for port in (server.port, stun, offer.port("udp"), offer.port("tls")):
        assert await ann.bind(0x4000, ("127.0.0.1", port)) == 403, port
    elsewhere = next(port for port in range(50_000, 50_010) if port not in (server.port, stun, offer.port("udp")))
    assert await ann.bind(0x4000, ("127.0.0.1", elsewhere)) == 0


async def test_sighup_changes_the_relay_and_a_broken_file_changes_nothing(
    serve: Serve, enter: Enter, relay: Relay
) -> None:
    server = serve("--no-db")
    file = server.folder / "peerline.toml"
    rest = file.read_text()
    file.write_text('turn_user = ["ann:pass"]\n' + rest)
    server.process.send_signal(signal.SIGHUP)
    await until(lambda: server.printed().count("settings read again") == 1, "they were read")
    port = int(re.findall(r"TURN on UDP (\d+)", server.printed())[0])
    ann = await TurnClient.connect(("127.0.0.1", port), "ann", "pass")
    assert (await ann.allocate())[0] == 0
    assert await ann.permit(("127.0.0.1", 50_000)) == 403
    ann.close()

    file.write_text('realm = "much too long, and told to strangers"\n' + rest)
    server.process.send_signal(signal.SIGHUP)
    await until(lambda: "the settings stay as they were" in server.printed(), "they were refused")
    bob = await TurnClient.connect(("127.0.0.1", port), "ann", "pass")
    assert (await bob.allocate())[0] == 0
    bob.close()
    assert Offer(await enter(server, "Carl")).urls == []


async def test_the_operator_sees_whose_allocation_it_is_and_ends_it_by_name(
    serve: Serve, enter: Enter, relay: Relay
) -> None:
    server = serve("--no-db", *LOOPBACK)
    guest = await enter(server, "Ann")
    client = await relay(Offer(guest))
    assert (await client.allocate())[0] == 0
    async with httpx.AsyncClient(base_url=f"{server.url}/api/v1/turn", timeout=20, trust_env=False) as http:
        (row,) = (await http.get("allocations")).json()["allocations"]
        assert row["who"] == {"u": guest.u, "n": guest.name}
        assert guest.name not in row["user"]
        assert (await http.delete("allocations", params={"user": guest.name})).json() == {"kicked": 1}
        used = {"finished": 0}
        async with asyncio.timeout(20):
            while used["finished"] == 0:
                (used,) = (await http.get("usage")).json()["users"]
        assert used["who"] == row["who"]
        assert await client.refresh() == 437
    assert "127.0.0.1" not in server.printed().partition("http://")[2].replace("--allow-peer 127.0.0.0/8", "")


async def test_json_logs_say_what_a_relay_did_and_for_whom_but_no_address(
    serve: Serve, enter: Enter, relay: Relay
) -> None:
    server = serve("--no-db", "--json-logs", *LOOPBACK)
    offer = Offer(await enter(server, "Ann"))
    client = await relay(offer)
    assert (await client.allocate())[0] == 0
    assert await client.refresh(0) == 0
    await until(lambda: '"event": "freed"' in server.printed(), "it was logged")
    (line,) = [line for line in server.printed().splitlines() if '"event": "freed"' in line]
    for part in ('"why": "released"', '"packets_up": 0', f'"user": "{offer.name.partition(":")[2]}"'):
        assert part in line
    assert "127.0.0.1" not in line
    assert offer.password not in server.printed()


async def test_the_lan_is_reached_over_its_own_certificate(serve: Serve, enter: Enter, relay: Relay) -> None:
    try:
        address = lan_address()
    except ConfigError:
        pytest.skip("this machine is on no network")
    server = serve("--no-db", "--lan", "--turn-tls-port", "0", "--host", "0.0.0.0")
    offer = Offer(await enter(server, "Ann"))
    assert "The relay reaches the LAN, " in server.printed()
    trust = trusting(server.folder / "lan" / "server.pem")
    client = await relay(offer, "tls", trust=trust)
    assert (await client.allocate())[0] == 0
    assert await client.permit((address, 50_000)) == 0
    assert await client.permit(("127.0.0.1", 50_000)) == 403


def test_settings_that_make_no_sense_end_it_before_it_begins(tmp_path: Path) -> None:
    chain, key = make_certificate(tmp_path)
    _, other = make_certificate(tmp_path, "other")
    data = tmp_path / "data"
    assert "turn_cert without turn_key" in refused(data, "--turn-cert", str(chain))
    assert "is not that of the certificate" in refused(data, "--turn-cert", str(chain), "--turn-key", str(other))
    assert f"{tmp_path}/none.crt cannot be read" in refused(
        data, "--turn-cert", f"{tmp_path}/none.crt", "--turn-key", str(key)
    )
    (data / "secrets.toml").write_text('turn = "short"')
    assert "no usable turn secret" in refused(data)
    (data / "secrets.toml").write_text("turn = ")
    assert "secrets.toml is damaged" in refused(data)


def test_a_server_that_keeps_nothing_does_not_look_at_the_secrets(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "server0").mkdir()
    (tmp_path / "server0" / "secrets.toml").write_text("damaged")
    server: ServerProcess = serve("--no-db")
    assert server.stop() == 0
