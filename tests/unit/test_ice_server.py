"""What `peerline serve` starts beside the signaling, without a process of its own."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from client.turn import TurnClient
from peerline.config import Config
from peerline.errors import ConfigError
from peerline.server.ice import IceServer
from peerline.turnserver.addresses import broadcast_addresses, numeric_host, reaches_nobody

CONFIG = Config(stun_port=0, turn_port=0, allow_peer=("127.0.0.0/8",))
Begin = Callable[[Config], IceServer]


@pytest.fixture
async def begin() -> AsyncIterator[Begin]:
    started: list[IceServer] = []

    def start(config: Config) -> IceServer:
        ice = IceServer(config)
        started.append(ice)
        ice.start(["127.0.0.1"], lan=None, http_port=8080)
        return ice

    yield start
    for ice in started:
        ice.close()


async def allocate(ice: IceServer, name: str, password: str) -> int:
    client = await TurnClient.connect(("127.0.0.1", ice.turn_ports["udp"]), name, password)
    try:
        status, _ = await client.allocate()
        if status == 0:
            assert await client.refresh(0) == 0
        return status
    finally:
        client.close()


def credentials(ice: IceServer) -> tuple[str, str]:
    return ice.credentials("ann", time.time(), 60)


async def test_urls_name_the_host_as_the_client_does(begin: Begin) -> None:
    ice = begin(CONFIG)
    ice.turn_ports = {"udp": 3478, "tcp": 3478, "tls": 5349}
    for host in ("localhost", "[::1]", "turn.example.org"):
        assert ice.urls(host) == [
            f"turn:{host}:3478",
            f"turn:{host}:3478?transport=tcp",
            f"turns:{host}:5349?transport=tcp",
        ]


async def test_a_drained_server_allocates_nothing_and_answers_all_the_same(begin: Begin) -> None:
    ice = begin(CONFIG)
    assert await allocate(ice, *credentials(ice)) == 0
    ice.drain()
    assert await allocate(ice, *credentials(ice)) == 508


async def test_a_new_secret_comes_first_and_the_old_one_stays_good_while_it_is_configured(begin: Begin) -> None:
    ice = begin(dataclasses.replace(CONFIG, rest_secret=("the first secret of this test",)))
    first = credentials(ice)
    both = ("a second secret of this test", "the first secret of this test")
    ice.reload(dataclasses.replace(CONFIG, rest_secret=both))
    second = credentials(ice)
    assert [await allocate(ice, *each) for each in (first, second)] == [0, 0]
    ice.reload(dataclasses.replace(CONFIG, rest_secret=both[:1]))
    assert [await allocate(ice, *each) for each in (first, second)] == [401, 0]


async def test_a_secret_that_is_kept_nowhere_survives_a_reload(begin: Begin) -> None:
    ice = begin(CONFIG)
    before = credentials(ice)
    ice.reload(CONFIG)
    assert await allocate(ice, *before) == 0


async def test_settings_that_make_no_sense_change_nothing(begin: Begin, tmp_path: Path) -> None:
    ice = begin(CONFIG)
    before = credentials(ice)
    for wrong in (
        dataclasses.replace(CONFIG, allow_peer=("nonsense",)),
        dataclasses.replace(CONFIG, realm="x" * 33, rest_secret=("another secret of this test",)),
        dataclasses.replace(CONFIG, turn_user=("nobody",)),
        dataclasses.replace(CONFIG, turn_cert=tmp_path / "a"),
        dataclasses.replace(CONFIG, turn_limits=dataclasses.replace(CONFIG.turn_limits, permissions=2**32)),
        dataclasses.replace(CONFIG, turn_limits=dataclasses.replace(CONFIG.turn_limits, bits_per_s=2**63)),
    ):
        with pytest.raises(ConfigError):
            ice.reload(wrong)
        assert await allocate(ice, *before) == 0
        assert await allocate(ice, *credentials(ice)) == 0


def test_without_turn_no_secret_is_made(tmp_path: Path) -> None:
    IceServer(dataclasses.replace(CONFIG, turn=False, database="sqlite:///x", data_dir=tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_addresses_that_everybody_hears() -> None:
    assert broadcast_addresses("192.168.1.0/24") == ["192.168.1.0", "192.168.1.255"]
    assert broadcast_addresses("192.168.1.0/31") == broadcast_addresses("192.168.1.7/32") == []
    assert broadcast_addresses("fd00::/64") == []


def test_a_relay_on_loopback_reaches_nobody_unless_loopback_is_allowed() -> None:
    local, real = [("127.0.0.1", "127.0.0.1"), ("::1", "::1")], [("192.0.2.7", "192.0.2.7")]
    assert reaches_nobody(local, [])
    assert reaches_nobody(local, ["10.0.0.0/8"])
    assert not reaches_nobody(local, ["127.0.0.0/8"])
    assert not reaches_nobody(local, ["::1/128"])
    assert not reaches_nobody([*local, *real], [])


def test_a_host_is_an_address_or_a_name_of_one() -> None:
    assert numeric_host("localhost") == "127.0.0.1"
    assert numeric_host("192.0.2.7") == "192.0.2.7"
    assert numeric_host("::1") == "::1"
    with pytest.raises(ConfigError):
        numeric_host("no.such.host.invalid")
