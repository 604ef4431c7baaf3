"""coturn's client in all its modes, over UDP, TCP and TLS, with IPv4 and IPv6."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from client.turn_message import Address
from peerline.engine import Engine
from peerline.turnserver import TurnServer, TurnSettings
from turn.conftest import ANN, SECRET, Server
from turn.coturn import Run, peer, uclient

# They mostly wait: so many at once.
WORKERS = 6
# The client takes what one TLS record holds for one message. Two that leave us together share a record, and one is lost
# on it: there has to be time between them, and on a busy machine there is not always enough.
OVER = {"udp": (), "tcp": ("-t",), "tls": ("-t", "-S", "-z", "100")}
MODES: dict[str, tuple[str, ...]] = {
    "channels": (),
    "client to client": ("-y",),
    "indications": ("-s",),
    "indications client to client": ("-y", "-s"),
    "without RTCP": ("-c",),
    "client to client without RTCP": ("-y", "-c"),
    "padded channels": ("-D",),
    "more requests than needed": ("-G",),
    "random disconnects": ("-B",),
    "IPv4 by name": ("-X",),
    "without permissions": ("-I",),
    "long packets": ("-l", "1200"),
    "ten clients": ("-m", "10", "-y"),
    "a REST secret": ("-W", SECRET, "-m", "1", "-n", "40", "-c"),
    "DONT-FRAGMENT": ("-g",),
    "ORIGIN": ("-o", "https://example.org"),
    "BANDWIDTH": ("-a", "100000"),
}
# One of each kind is for every day; the others take minutes.
DAILY = {"udp-client to client", "tcp-channels", "tls-indications"}


def cases() -> list[object]:
    names = [f"{over}-{mode}" for over in OVER for mode in MODES]
    return [pytest.param(n, id=n, marks=() if n in DAILY else pytest.mark.long) for n in names]


@pytest.fixture(scope="module")
def echo() -> Iterator[Address]:
    with peer() as address:
        yield address


@pytest.fixture(scope="module")
def runs(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest, echo: Address
) -> Iterator[dict[str, Future[Run]]]:
    """All modes that were asked for, some at the same time."""
    server = Server(tmp_path_factory.mktemp("uclient"), *ANN, "--rest-secret", SECRET, "--shards", "2", "--no-limits")
    wanted = [case for item in request.session.items if (case := case_of(item)) is not None]
    with ThreadPoolExecutor(WORKERS) as executor:
        started = {}
        for case in wanted:
            over, _, mode = case.partition("-")
            started[case] = executor.submit(uclient, server.address(over), echo, *OVER[over], *MODES[mode])
        yield started
    server.assert_unharmed()
    server.end()


def case_of(item: pytest.Item) -> str | None:
    if not isinstance(item, pytest.Function) or item.originalname != test_every_packet_comes_back.__name__:
        return None
    case: str = str(item.callspec.params["case"])
    return case


@pytest.mark.parametrize("case", cases())
def test_every_packet_comes_back(runs: dict[str, Future[Run]], case: str) -> None:
    run = runs[case].result()
    assert run.code == 0, run.said
    assert run.sent >= 40, run.said
    assert run.received == run.sent or (case.startswith("tls") and run.received > 0.75 * run.sent), run.said


# --- modes that end otherwise --------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("over", OVER)
@pytest.mark.parametrize("flag", ["-R", "-O"], ids=["wrong messages between right ones", "coming and going at once"])
def test_a_client_that_means_harm_does_none(shared: Server, echo: Address, over: str, flag: str) -> None:
    uclient(shared.address(over), echo, *OVER[over], flag, patience_s=20)  # with coturn it does not always end either
    shared.assert_unharmed()
    run = uclient(shared.address("udp"), echo)
    assert run.sent == run.received >= 40, run.said


def test_a_second_channel_for_the_same_peer_is_refused(shared: Server, echo: Address) -> None:
    run = uclient(shared.address("udp"), echo, "-N")
    assert "channel bind: error 400" in run.said


@pytest.mark.long
@pytest.mark.parametrize("flags", [("-x",), ("-x", "-s"), ("-x", "-y"), ("-x", "-t"), ("-x", "-t", "-S", "-z", "100")])
def test_ipv6(tmp_path: Path, flags: tuple[str, ...]) -> None:
    server = Server(tmp_path, *ANN, "--host", "::1", "--shards", "2", "--no-limits")
    try:
        with peer("::1") as six:
            run = uclient(server.address("tls" if "-S" in flags else "udp"), six, *flags)
        assert run.code == 0, run.said
        assert run.sent >= 40, run.said
        assert run.received == run.sent or ("-S" in flags and run.received > 0.75 * run.sent), run.said
        server.assert_unharmed()
    finally:
        server.end()


@pytest.mark.parametrize("over", ["udp", "tcp"])
def test_one_allocation_of_both_families(tmp_path: Path, echo: Address, over: str) -> None:
    """The client throws a coin for the family of its peer; one that is not its echo's family gets 443."""
    server = Server(tmp_path, *ANN, "--host", "127.0.0.1,::1", "--shards", "2", "--no-limits")
    try:
        for _ in range(20):
            run = uclient(server.address(over), echo, *OVER[over], "-Z", "-c")
            if run.code == 0:
                break
            assert "error 443" in run.said
        assert run.sent == run.received >= 40, run.said
        server.assert_unharmed()
    finally:
        server.end()


@pytest.mark.long
def test_peers_that_connect_to_a_tcp_relay(tmp_path: Path, echo: Address) -> None:
    server = Server(tmp_path, *ANN, "--tcp-relays", "--shards", "2", "--no-limits")
    try:
        run = uclient(server.address("tcp"), echo, "-T", "-P")
        assert run.code == 0, run.said
        assert run.sent == 2 * run.received >= 40, "half of its clients are the peers here, and count nothing"
        server.assert_unharmed()
    finally:
        server.end()


@pytest.mark.parametrize("flags", [("-M",), pytest.param(("-M", "-y"), marks=pytest.mark.long)])
async def test_who_moves_takes_its_relay_along(echo: Address, flags: tuple[str, ...]) -> None:
    settings = TurnSettings(
        users=[("ann", "pass")], allow=["127.0.0.0/8"], open_ports=[(20_000, 60_000)], mobility=True,
        answers_per_second=None,
    )  # fmt: skip
    with Engine(shards=1) as engine:
        engine.attach(asyncio.get_running_loop())
        server = TurnServer(engine, settings)
        ((_, host, port),) = server.listen([("udp", "127.0.0.1", 0)], [("127.0.0.1", "127.0.0.1")], (20_000, 60_000))
        run = await asyncio.to_thread(uclient, (host, port), echo, *flags)
    assert run.code == 0, run.said
    assert run.sent == run.received >= 40, run.said
