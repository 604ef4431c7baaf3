"""Each NAT type does what its name promises, as seen from outside: in the kernel's lab and in the simulator."""

from __future__ import annotations

import socket

import pytest

from lab.discovery import Server, filtering_of, mapping_of, public_address
from lab.worlds import World
from peerline.lab import Lab, LabError, NatType
from peerline.lab.sim import Network
from peerline.lab.sim.nat import MAPPING_S

every_type = pytest.mark.parametrize("nat", NatType, ids=str)
CONES = [NatType.FULL_CONE, NatType.ADDRESS_RESTRICTED, NatType.PORT_RESTRICTED]
every_cone = pytest.mark.parametrize("nat", CONES, ids=str)
TRANSLATING = [*CONES, NatType.SYMMETRIC]
every_translating = pytest.mark.parametrize("nat", TRANSLATING, ids=str)


@every_type
def test_mapping_and_filtering_are_those_of_the_type(world: World, nat: NatType) -> None:
    server = Server.start(world)
    ann = world.net.behind(nat.word).host("ann")
    assert (mapping_of(world, ann, server), filtering_of(world, ann, server)) == (nat.mapping, nat.filtering)


def test_open_has_its_own_public_address(world: World) -> None:
    server = Server.start(world)
    home = world.net.behind("open")
    ann = world.open(home.host("ann"))
    assert public_address(ann, server.here) == ann.address
    assert home.public_address is None


@every_translating
def test_the_public_address_is_the_routers_and_the_port_a_new_one(world: World, nat: NatType) -> None:
    server = Server.start(world)
    home = world.net.behind(nat)
    ann = world.open(home.host("ann"), 7000)
    seen = public_address(ann, server.here)
    assert seen is not None
    assert seen[0] == home.public_address
    assert seen[1] != 7000


@every_cone
def test_two_hosts_with_the_same_port_keep_one_public_port_each(world: World, nat: NatType) -> None:
    server = Server.start(world)
    home = world.net.behind(nat)
    ann, eve = world.open(home.host("ann"), 7000), world.open(home.host("eve"), 7000)
    seen = {
        name: {public_address(one, where) for where in (server.here, server.other_port, server.all_other)}
        for name, one in (("ann", ann), ("eve", eve))
    }
    assert len(seen["ann"]) == len(seen["eve"]) == 1
    assert not seen["ann"] & seen["eve"]


@pytest.mark.parametrize("nat", [NatType.ADDRESS_RESTRICTED, NatType.PORT_RESTRICTED, NatType.SYMMETRIC], ids=str)
def test_what_one_host_has_opened_is_not_open_for_its_neighbour(world: World, nat: NatType) -> None:
    server = Server.start(world)
    home = world.net.behind(nat)
    ann, eve = world.open(home.host("ann")), world.open(home.host("eve"))
    public = public_address(ann, server.here)
    assert public is not None
    assert public_address(eve, server.all_other) is not None
    server.all_other.send(b"eve knows me", public)
    server.here.send(b"ann knows me", public)
    assert ann.receive() == (b"ann knows me", server.here.address)
    assert ann.receive() is None


@pytest.mark.parametrize("nat", [NatType.ADDRESS_RESTRICTED, NatType.PORT_RESTRICTED], ids=str)
def test_who_came_too_early_meets_the_same_public_port_later(world: World, nat: NatType) -> None:
    server = Server.start(world)
    ann = world.open(world.net.behind(nat).host("ann"))
    public = public_address(ann, server.here)
    assert public is not None
    server.all_other.send(b"too early", public)
    assert ann.receive() is None
    assert public_address(ann, server.all_other) == public
    server.all_other.send(b"now", public)
    assert ann.receive() == (b"now", server.all_other.address)


def test_an_answer_to_a_stranger_leaves_by_the_port_that_was_known_already(world: World) -> None:
    server = Server.start(world)
    ann = world.open(world.net.behind("full-cone").host("ann"))
    public = public_address(ann, server.here)
    assert public is not None
    server.all_other.send(b"hello", public)
    assert ann.receive() == (b"hello", server.all_other.address)
    ann.send(b"hello yourself", server.all_other.address)
    assert server.all_other.receive() == (b"hello yourself", public)


def test_nobody_comes_in_at_a_port_that_stands_for_nothing(world: World) -> None:
    server = Server.start(world)
    ann = world.open(world.net.behind("full-cone").host("ann"))
    public = public_address(ann, server.here)
    assert public is not None
    for port in range(20_000, 20_100):
        if port != public[1]:
            server.here.send(b"anybody?", (public[0], port))
    assert ann.receive() is None


def test_neighbours_reach_each_other_without_their_router(world: World) -> None:
    home = world.net.behind("symmetric")
    ann, eve = world.open(home.host("ann")), world.open(home.host("eve"))
    ann.send(b"hello", eve.address)
    assert eve.receive() == (b"hello", ann.address)


def test_a_private_address_leads_nowhere_from_outside(world: World) -> None:
    server = Server.start(world)
    ann = world.open(world.net.behind("full-cone").host("ann"))
    eve = world.open(world.net.behind("full-cone").host("eve"))
    assert public_address(ann, server.here)
    for stranger in (eve, server.here):
        stranger.send(b"hello", ann.address)  # and nobody is told that it will not get there
    assert ann.receive() is None


def test_of_udp_only_dns_passes_a_strict_firewall(world: World) -> None:
    outside = world.net.host("server")
    dns, turn, other = (world.open(outside, port) for port in (53, 3478, 5000))
    ann = world.open(world.net.behind("udp-blocked").host("ann"))
    assert public_address(ann, turn) is None
    assert public_address(ann, other) is None
    public = public_address(ann, dns)
    assert public is not None
    dns.send(b"an answer", public)
    assert ann.receive() == (b"an answer", dns.address)
    other.send(b"no answer", public)
    assert ann.receive() is None


def test_tcp_passes_a_strict_firewall_but_for_the_turn_port(natlab: Lab) -> None:
    server = natlab.host("server")
    ann = natlab.behind("udp-blocked").host("ann")
    for port, passes in ((443, True), (5349, True), (3478, False)):
        with server.socket(socket.SOCK_STREAM, port) as listener, ann.socket(socket.SOCK_STREAM) as client:
            listener.listen()
            client.settimeout(2.0 if passes else 0.3)
            if not passes:
                with pytest.raises(TimeoutError):
                    client.connect((server.address, port))
                continue
            client.connect((server.address, port))
            accepted, source = listener.accept()
            with accepted:
                assert source[0] not in (ann.address, server.address)
                client.sendall(b"hello")
                assert accepted.recv(100) == b"hello"


def test_a_mapping_that_nobody_uses_ends_and_its_port_leads_nowhere() -> None:
    network = Network(seed=1)
    server = network.host("server").socket(5000)
    ann = network.behind("full-cone").host("ann").socket()
    ann.send(b"1", server.address)
    network.settle()
    first = server.receive()
    assert first is not None
    network.advance(MAPPING_S - 1)
    server.send(b"2", first[1])
    network.settle()
    assert ann.receive() == (b"2", server.address)
    network.advance(1)
    server.send(b"3", first[1])
    network.settle()
    assert ann.receive() is None
    ann.send(b"4", server.address)
    network.settle()
    again = server.receive()
    assert again is not None
    assert again[1] != first[1]


def test_an_unknown_type_is_refused_with_the_nearest_name(world: World) -> None:
    with pytest.raises(LabError) as refused:
        world.net.behind("symetric")
    assert refused.value.code == "lab_nat_type"
    assert refused.value.hint == "Did you mean 'symmetric'?"
