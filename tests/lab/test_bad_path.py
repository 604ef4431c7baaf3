"""The bad path over loopback: what passes, how late, how much of it, and what happens when it is gone."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from peerline.lab import BadPath, Counts, LabError

PATIENCE_S = 10.0


@pytest.fixture
def path() -> Iterator[BadPath]:
    with BadPath(seed=7) as path:
        yield path


@pytest.fixture
def sides(path: BadPath) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two sockets that have spoken to each other through it."""
    with ExitStack() as stack:
        one, other = (stack.enter_context(_socket(port)) for port in path.ports)
        one.send(b"I am here")  # nobody was at the other end yet
        _until_counted(path, 1)
        other.send(b"so am I")
        assert one.recv(100) == b"so am I"
        one.send(b"hello")
        assert other.recv(100) == b"hello"
        yield one, other


def _socket(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.connect(("127.0.0.1", port))
    made.settimeout(PATIENCE_S)
    return made


def _until_counted(path: BadPath, count: int, direction: str = "both") -> Counts:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        counts = path.counts(direction)
        if counts.forwarded + counts.lost >= count:
            return counts
        time.sleep(0.01)  # it answers when it is asked, and tells nothing by itself
    raise AssertionError(f"{counts} are not {count} packets")


def test_what_is_sent_before_the_other_side_spoke_is_lost(
    path: BadPath, sides: tuple[socket.socket, socket.socket]
) -> None:
    assert path.counts() == Counts(forwarded=2, lost=1)
    assert path.counts("up") == Counts(forwarded=1, lost=1)
    assert path.counts("down") == Counts(forwarded=1, lost=0)


def test_packets_are_as_late_as_they_should_be(path: BadPath, sides: tuple[socket.socket, socket.socket]) -> None:
    one, other = sides
    path.shape(delay_s=0.05)
    sent_at = time.monotonic()
    one.send(b"hello")
    assert other.recv(100) == b"hello"
    assert time.monotonic() - sent_at >= 0.05
    other.send(b"hello yourself")
    assert one.recv(100) == b"hello yourself"
    assert time.monotonic() - sent_at >= 0.1


def test_a_rate_makes_packets_wait_for_each_other(path: BadPath, sides: tuple[socket.socket, socket.socket]) -> None:
    one, other = sides
    path.shape(rate_bps=1_000_000, queue_s=10)
    sent_at = time.monotonic()
    for number in range(25):
        one.send(bytes([number]) * 1222)  # 1250 bytes with headers: 10 ms each
    assert [other.recv(2000)[0] for _ in range(25)] == list(range(25))
    assert time.monotonic() - sent_at >= 0.24


def test_about_the_given_share_is_lost_in_the_given_direction(
    path: BadPath, sides: tuple[socket.socket, socket.socket]
) -> None:
    one, other = sides
    before = path.counts("up")
    path.shape(loss=0.3, direction="up")
    for sent in (100, 200, 300, 400):
        for _ in range(100):
            one.send(b"x")
        counts = _until_counted(path, before.forwarded + before.lost + sent, "up")
    assert counts.forwarded + counts.lost == before.forwarded + before.lost + 400
    assert 65 < counts.lost - before.lost < 175  # 120 is what to expect; six standard deviations are 55
    other.send(b"all of it")
    assert one.recv(100) == b"all of it"


def test_it_can_become_good_again(path: BadPath, sides: tuple[socket.socket, socket.socket]) -> None:
    one, other = sides
    path.shape(loss=1.0)
    one.send(b"never")
    _until_counted(path, 4)
    path.shape()
    one.send(b"again")
    assert other.recv(100) == b"again"


def test_whoever_spoke_last_is_sent_to(path: BadPath, sides: tuple[socket.socket, socket.socket]) -> None:
    one, _ = sides
    with _socket(path.ports[1]) as moved:
        moved.send(b"I have moved")
        assert one.recv(100) == b"I have moved"
        one.send(b"hello")
        assert moved.recv(100) == b"hello"


def test_a_side_is_told_of_its_own_port(path: BadPath) -> None:
    assert path.candidate(1) == f"candidate:1 1 udp 2130706431 127.0.0.1 {path.ports[1]} typ host"
    assert str(path.ports[0]) in path.candidate(0)


def test_a_path_that_is_gone_says_so(path: BadPath) -> None:
    path.close()
    path.close()
    with pytest.raises(LabError, match="not there") as gone:
        path.shape(loss=0.1)
    assert gone.value.code == "lab_path"
    assert gone.value.hint
    with pytest.raises(LabError, match="not there"):
        path.counts()


def test_an_address_of_another_machine_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(LabError, match="not there") as refused:
        BadPath(address="198.51.100.1")
    assert refused.value.code == "lab_path"
    assert "assign" in capfd.readouterr().err


def test_values_that_make_no_sense_are_refused(path: BadPath) -> None:
    wrongs: list[dict[str, Any]] = [{"loss": 2.0}, {"delay_s": -1.0}, {"rate_bps": 0.0}, {"direction": "sideways"}]
    for wrong in wrongs:
        with pytest.raises(LabError) as refused:
            path.shape(**wrong)
        assert refused.value.code == "lab_quality"
    assert path.up.is_perfect
