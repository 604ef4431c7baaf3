"""Bad links: packets are lost, wait, and come late; by seed in the simulator, really in the kernel's lab."""

from __future__ import annotations

import itertools
import socket
import time
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.worlds import World
from peerline.lab import Lab, LabError, Quality
from peerline.lab.link import Link
from peerline.lab.sim import Network


def test_a_link_that_loses_all_lets_nothing_through_and_a_good_one_everything(world: World) -> None:
    ann_host = world.net.behind("full-cone").host("ann")
    server, ann = world.open(world.net.host("server")), world.open(ann_host)
    ann.send(b"first", server.address)
    first = server.receive()
    world.net.shape(ann_host, loss=1.0)
    ann.send(b"never", server.address)
    assert server.receive() is None
    world.net.shape(ann_host)
    ann.send(b"first", server.address)
    assert server.receive(within_s=5) == first
    assert first is not None


def test_each_direction_has_its_own_quality(world: World) -> None:
    ann_host = world.net.behind("open").host("ann")
    server, ann = world.open(world.net.host("server")), world.open(ann_host)
    world.net.shape(ann_host, direction="down", loss=1.0)
    ann.send(b"hello", server.address)
    assert server.receive(within_s=5) == (b"hello", ann.address)
    server.send(b"hello yourself", ann.address)
    assert ann.receive() is None
    world.net.shape(ann_host, direction="down")
    world.net.shape(ann_host, direction="up", loss=1.0)
    server.send(b"hello yourself", ann.address)
    assert ann.receive(within_s=5) == (b"hello yourself", server.address)
    ann.send(b"hello", server.address)
    assert server.receive() is None


def test_about_the_given_share_is_lost(world: World) -> None:
    ann_host = world.net.host("ann")
    server, ann = world.open(world.net.host("server")), world.open(ann_host)
    world.net.shape(ann_host, direction="up", loss=0.3)
    arrived = 0
    for _ in range(4):
        for _ in range(100):
            ann.send(b"x", server.address)
        while arrived < 400 and server.receive(within_s=1):
            arrived += 1
    assert 220 < arrived < 340  # 280 is what to expect; six standard deviations are 55


def test_packets_of_the_kernels_lab_are_as_late_as_they_should_be(natlab: Lab) -> None:
    ann_host = natlab.behind("full-cone").host("ann")
    with natlab.host("server").socket(port=5000) as server, ann_host.socket() as ann:
        natlab.shape(ann_host, delay_s=0.05)
        sent_at = time.monotonic()
        ann.sendto(b"hello", server.getsockname())
        data, source = server.recvfrom(100)
        assert time.monotonic() - sent_at >= 0.05
        server.sendto(data, source)
        assert ann.recv(100) == b"hello"
        assert time.monotonic() - sent_at >= 0.1


def test_a_rate_makes_packets_wait_for_each_other_in_the_kernels_lab(natlab: Lab) -> None:
    ann_host = natlab.host("ann")
    with natlab.host("server").socket(port=5000) as server, ann_host.socket() as ann:
        natlab.shape(ann_host, rate_bps=1_000_000, queue_s=10)
        # While the kernel still asks whose address it is (ARP), packets wait, and later ones may overtake them.
        ann.sendto(b"first", server.getsockname())
        assert server.recv(2000) == b"first"
        sent_at = time.monotonic()
        for number in range(25):
            ann.sendto(bytes([number]) * 1222, server.getsockname())  # 1250 bytes with headers: 10 ms each
        assert [server.recv(2000)[0] for _ in range(25)] == list(range(25))
        assert time.monotonic() - sent_at >= 0.24


def test_tcp_gets_all_its_bytes_through_a_bad_link(natlab: Lab) -> None:
    ann_host = natlab.behind("symmetric").host("ann")
    outside = natlab.host("server")
    natlab.shape(ann_host, loss=0.02, rate_bps=20_000_000, delay_s=0.005)
    sent = Random(1).randbytes(300_000)
    with outside.socket(socket.SOCK_STREAM, 443) as listener, ann_host.socket(socket.SOCK_STREAM) as client:
        listener.listen()
        client.connect((outside.address, 443))
        accepted, _ = listener.accept()
        with accepted:
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
            assert b"".join(iter(lambda: accepted.recv(65_536), b"")) == sent


def test_the_simulator_takes_the_time_that_the_link_takes() -> None:
    network = Network()
    ann_host = network.host("ann")
    server, ann = network.host("server").socket(5000), ann_host.socket()
    network.shape(ann_host, rate_bps=1_000_000, delay_s=0.05)
    arrivals: list[float] = []
    server.on_datagram = lambda data, source: arrivals.append(round(network.now, 9))
    for _ in range(3):
        ann.send(bytes(1222), server.address)
    network.settle()
    assert arrivals == [0.06, 0.07, 0.08]


@pytest.mark.parametrize("seed", range(5))
def test_the_same_seed_makes_the_same_run_and_another_another(seed: int) -> None:
    assert _run(seed) == _run(seed)
    assert _run(seed) != _run(seed + 1)


def _run(seed: int) -> list[Any]:
    network = Network(seed)
    ann_host = network.behind("symmetric").host("ann")
    server, ann = network.host("server").socket(5000), ann_host.socket()
    network.shape(ann_host, loss=0.5, delay_s=0.01)
    seen: list[Any] = [ann.address]
    server.on_datagram = lambda data, source: seen.append((network.now, source, data))
    for number in range(50):
        network.at(number * 0.02, lambda number=number: ann.send(bytes([number]), server.address))  # type: ignore[misc]
    network.advance(2)
    return seen


@given(
    st.floats(1e3, 1e9),
    st.floats(0, 1),
    st.floats(0, 1),
    st.lists(st.tuples(st.floats(0, 0.1), st.integers(28, 1500)), max_size=50),
)
def test_a_link_keeps_order_its_rate_and_its_delay(
    rate_bps: float, delay_s: float, queue_s: float, sent: list[tuple[float, int]]
) -> None:
    link = Link(Random(0), Quality(rate_bps=rate_bps, delay_s=delay_s, queue_s=queue_s))
    now, arrived = 0.0, []
    for pause, size in sent:
        now += pause
        due = link.carry(now, size)
        if due is not None:
            assert now + delay_s <= due <= now + queue_s + size * 8 / rate_bps + delay_s + 1e-6
            arrived.append((due, size))
    for (before, _), (after, size) in itertools.pairwise(arrived):
        assert after - before >= size * 8 / rate_bps - 1e-6


@pytest.mark.parametrize("bad", [{"loss": 1.1}, {"loss": -0.1}, {"rate_bps": 0}, {"delay_s": -1}, {"queue_s": -1}])
def test_an_impossible_quality_is_refused(world: World, bad: dict[str, float]) -> None:
    host = world.net.host("ann")
    with pytest.raises(LabError) as refused:
        world.net.shape(host, **bad)
    assert refused.value.code == "lab_quality"
    with pytest.raises(LabError):
        world.net.shape(host, direction="sideways")
