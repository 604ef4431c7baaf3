"""`peerline turn` as its operator sees it: what it prints, when it refuses to start, how it ends, what SIGHUP does."""

from __future__ import annotations

import asyncio
import fcntl
import os
import resource
import signal
import socket
import ssl
import termios
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from client.certificates import DAY, make_certificate, trusting
from client.turn import TurnClient
from peerline.turnserver import make_credentials
from system.conftest import until
from system.ports import occupied
from system.turn_process import TurnProcess

Start = Callable[..., TurnProcess]
Enter = Callable[..., Awaitable[TurnClient]]
ANN = ("--user", "ann:pass", "--allow-peer", "127.0.0.0/8")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[TurnProcess] = []

    def begin(*flags: str, before: Callable[[], None] | None = None) -> TurnProcess:
        started.append(TurnProcess(tmp_path, *flags, before=before))
        return started[-1]

    yield begin
    for one in started:
        one.end()
        assert "Traceback" not in one.errors(), one.errors()


@pytest.fixture
async def enter() -> AsyncIterator[Enter]:
    opened: list[TurnClient] = []

    async def come(
        server: TurnProcess, kind: str = "udp", name: str = "ann", trust: ssl.SSLContext | None = None
    ) -> TurnClient:
        address = await asyncio.to_thread(server.address, kind)
        opened.append(await TurnClient.connect(address, name, "pass", kind=kind, trust=trust))
        return opened[-1]

    yield come
    for client in opened:
        client.close()


def test_it_prints_where_it_listens_and_the_secret_it_has_made(start: Start, tmp_path: Path) -> None:
    chain, key = make_certificate(tmp_path)
    plain, secure = start(), start(*ANN, "--turn-cert", str(chain), "--turn-key", str(key))
    assert plain.address("udp") == plain.address("tcp")
    assert plain.wait_for("rest-secret ").split()[1]
    assert "127.0.0.0/8" in plain.wait_for("No relay on localhost alone")
    assert not [line for line in plain.lines if line.startswith("listening tls")], "there is no certificate"
    assert secure.address("udp") == secure.address("tcp") != secure.address("tls")
    for one in (plain, secure):
        one.tell(signal.SIGTERM)
        assert one.wait() == 0
    assert not [line for line in secure.lines if "rest-secret" in line or "No relay" in line]


@pytest.mark.parametrize(("kind", "flag"), [("udp", "--turn-port"), ("tcp", "--turn-port"), ("tls", "--turn-tls-port")])
def test_a_port_that_is_taken_ends_it(start: Start, tmp_path: Path, kind: str, flag: str) -> None:
    chain, key = make_certificate(tmp_path)
    with occupied(kind) as port:
        refused = start(*ANN, "--turn-cert", str(chain), "--turn-key", str(key), flag, str(port))
        assert refused.wait() == 1
    assert f"{kind.upper()} port {port} on 127.0.0.1 cannot be used: Address already in use" in refused.errors()
    assert f"any free one with {flag} 0" in refused.errors()


def test_an_alternate_that_is_no_address_of_this_host_ends_it_with_1(start: Start) -> None:
    refused = start(*ANN, "--turn-alternate", "192.0.2.99")
    assert refused.wait() == 1
    assert "cannot be used for behaviour discovery" in refused.errors()
    assert "--turn-alternate names another address of this host" in refused.errors()


def test_settings_that_make_no_sense_end_it_with_2(start: Start, tmp_path: Path) -> None:
    chain, key = make_certificate(tmp_path)
    old, old_key = make_certificate(tmp_path, "old", begins_in=-2 * DAY, ends_in=-DAY)
    for flags, message in (
        (("--turn-cert", str(chain)), "turn_cert without turn_key"),
        (("--turn-key", str(key)), "turn_key without turn_cert"),
        (("--turn-cert", str(chain), "--turn-key", str(old_key)), "is not that of the certificate"),
        (("--turn-cert", str(old), "--turn-key", str(old_key)), f"{old} has expired"),
        (("--turn-cert", "/none.pem", "--turn-key", str(key)), "/none.pem cannot be read"),
        (("--realm", "x" * 33), "realm"),
        (("--user", "ann"), "NAME:PASSWORD"),
        (("--rest-secret", ""), "it is empty"),
        (("--allow-peer", "10.0.0.0/33"), "allow_peer"),
        (("--relay-ports", "9-5"), "relay_ports"),
        (("--turn-alternate", "nowhere"), "turn_alternate"),
        (("--turn-alternate", "127.0.0.1"), "turn_alternate"),
        (("--host", "no.such.host.invalid"), "no.such.host.invalid"),
        (("--shards", "0"), "1 to 4096"),
        (("--drain-s", "-1"), "seconds"),
    ):
        refused = start(*flags)
        assert refused.wait() == 2, flags
        assert message in refused.errors()


async def test_sigterm_waits_for_relays_and_makes_no_new_one(start: Start, enter: Enter) -> None:
    server = start(*ANN, "--drain-s", "600")
    ann, late = await enter(server), await enter(server)
    assert (await ann.allocate())[0] == 0
    server.tell(signal.SIGTERM)
    await asyncio.to_thread(server.wait_for, "draining 1 relays, 600 s at most")
    assert (await late.allocate())[0] == 508
    assert await ann.permit(("127.0.0.1", 50_000)) == 0, "who is in goes on"
    assert server.process.poll() is None
    assert await ann.refresh(0) == 0
    assert await asyncio.to_thread(server.wait) == 0


async def test_the_second_signal_ends_it_at_once(start: Start, enter: Enter) -> None:
    server = start(*ANN, "--drain-s", "600")
    ann = await enter(server)
    assert (await ann.allocate())[0] == 0
    server.tell(signal.SIGTERM)
    await asyncio.to_thread(server.wait_for, "draining")
    server.tell(signal.SIGTERM)
    assert await asyncio.to_thread(server.wait) == 0


async def test_a_relay_that_stays_is_not_waited_for_longer_than_told(start: Start, enter: Enter) -> None:
    server = start(*ANN, "--drain-s", "0.1")
    ann = await enter(server)
    assert (await ann.allocate())[0] == 0
    server.tell(signal.SIGINT)
    assert await asyncio.to_thread(server.wait) == 0
    assert server.wait_for("draining 1 relays")


async def test_sighup_reads_the_settings_again(start: Start, enter: Enter, tmp_path: Path) -> None:
    file = tmp_path / "turn.toml"
    file.write_text('turn_user = ["ann:pass"]\nallow_peer = ["127.0.0.0/8"]\n')
    server = start("--config", str(file))
    ann = await enter(server)
    assert (await ann.allocate())[0] == 0
    file.write_text('turn_user = ["bob:pass"]\n')
    server.tell(signal.SIGHUP)
    await until(lambda: "settings read again" in server.errors(), "it has read them")
    bob, stranger = await enter(server, name="bob"), await enter(server)
    assert (await bob.allocate())[0] == 0
    assert await bob.permit(("127.0.0.1", 50_000)) == 403
    assert (await stranger.allocate())[0] == 401
    assert await ann.refresh() == 0, "who is in stays in"

    file.write_text("turn_user = 5\n")
    server.tell(signal.SIGHUP)
    await until(lambda: "the settings stay as they were" in server.errors(), "it has refused them")
    assert await bob.refresh() == 0


def test_a_terminal_that_is_closed_ends_it(start: Start) -> None:
    ours, its = os.openpty()

    def take_the_terminal() -> None:
        os.setsid()
        fcntl.ioctl(its, termios.TIOCSCTTY, 0)

    server = start(*ANN, before=take_the_terminal)
    assert server.address("udp")
    os.close(its)
    os.close(ours)
    assert server.wait() == 0
    assert "settings read again" not in server.errors()


def test_the_descriptor_limit_is_raised_and_one_that_stays_low_is_told(start: Start) -> None:
    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, 500))

    server = start(*ANN, before=few)
    assert "500 files and sockets only" in server.wait_for("This process may open")
    assert resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE) == (500, 500)


async def test_past_the_descriptor_limit_clients_are_refused_and_the_others_go_on(start: Start, enter: Enter) -> None:
    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (60, 60))

    server = start(*ANN, "--shards", "1", before=few)
    ann = await enter(server)
    assert (await ann.allocate())[0] == 0
    statuses = {(await (await enter(server)).allocate())[0] for _ in range(60)}
    assert statuses == {0, 508}
    assert await ann.refresh() == 0
    server.tell(signal.SIGTERM)
    await asyncio.to_thread(server.wait_for, "draining")


async def test_limits_are_settings(start: Start, enter: Enter, tmp_path: Path) -> None:
    file = tmp_path / "turn.toml"
    limits = "allocations = 2\npermissions = 1\nchannels = 1\nstatic_users = true\nmax_allocations = 3\n"
    file.write_text(f'turn_user = ["ann:pass", "bob:pass"]\nallow_peer = ["127.0.0.0/8"]\n[turn_limits]\n{limits}')
    server = start("--config", str(file), "--shards", "1")
    statuses = [(await (await enter(server, name=name)).allocate())[0] for name in ("ann", "ann", "ann", "bob", "bob")]
    assert statuses == [0, 0, 486, 0, 508]


async def test_permissions_and_channels_have_limits(start: Start, enter: Enter, tmp_path: Path) -> None:
    file = tmp_path / "turn.toml"
    file.write_text("[turn_limits]\npermissions = 1\nchannels = 1\nstatic_users = true\n")
    server = start("--config", str(file), *ANN)
    ann = await enter(server)
    assert (await ann.allocate())[0] == 0
    assert await ann.permit(("127.0.0.1", 50_000)) == 0
    assert await ann.permit(("127.0.0.2", 50_000)) == 508
    assert await ann.bind(0x4000, ("127.0.0.1", 50_000)) == 0
    assert await ann.bind(0x4001, ("127.0.0.1", 50_001)) == 508


async def test_secrets_rotate_without_anybody_noticing(start: Start, tmp_path: Path) -> None:
    old, new, other = (b"the old secret of this test", b"the new secret of this test", b"no secret of this test")
    server = start("--rest-secret", new.decode(), "--rest-secret", old.decode(), "--allow-peer", "127.0.0.0/8")
    address = await asyncio.to_thread(server.address, "udp")
    for secret, expected in ((new, 0), (old, 0), (other, 401)):
        made = make_credentials(secret, "bob", now_s=time.time(), ttl_s=60)
        client = await TurnClient.connect(address, made.username, made.password)
        assert (await client.allocate())[0] == expected
        client.close()


@pytest.mark.parametrize("kind", ["udp", "tcp", "tls"])
async def test_every_transport_relays(start: Start, enter: Enter, tmp_path: Path, kind: str) -> None:
    chain, key = make_certificate(tmp_path)
    server = start(*ANN, "--turn-cert", str(chain), "--turn-key", str(key))
    ann = await enter(server, kind, trust=trusting(chain))
    assert (await ann.allocate())[0] == 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(20)
        assert await ann.bind(0x4000, peer.getsockname()) == 0
        ann.send(b"\x40\x00\x00\x05hello")
        data, relayed = await asyncio.to_thread(peer.recvfrom, 100)
        assert data == b"hello"
        peer.sendto(b"welcome", relayed)
        assert await ann.receive() == b"\x40\x00\x00\x07welcome"


async def test_a_new_certificate_is_served_without_a_restart_and_a_broken_one_is_not(
    start: Start, enter: Enter, tmp_path: Path
) -> None:
    chain, key = make_certificate(tmp_path)
    server = start(*ANN, "--turn-cert", str(chain), "--turn-key", str(key))
    trust = trusting(chain)
    ann = await enter(server, "tls", trust=trust)
    assert (await ann.allocate())[0] == 0

    key.write_text("half a ke")
    server.tell(signal.SIGHUP)
    await until(lambda: "the certificate stays as it was" in server.errors(), "it has refused it")
    await enter(server, "tls", trust=trust)

    new_chain, new_key = make_certificate(tmp_path, "new")
    os.replace(new_chain, chain)
    os.replace(new_key, key)
    server.tell(signal.SIGHUP)
    await until(lambda: "is in use" in server.errors(), "it has taken it")
    await enter(server, "tls", trust=trusting(chain))
    with pytest.raises(ssl.SSLCertVerificationError):
        await enter(server, "tls", trust=trust)
    assert await ann.refresh() == 0, "who is in stays in"
