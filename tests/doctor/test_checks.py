"""How a check runs, and how each judges what it found."""

from __future__ import annotations

import asyncio
import datetime
import os
from pathlib import Path

import pytest

from peerline.doctor.certificate import Certificate
from peerline.doctor.check import Check, Outcome, State, ok, warning
from peerline.doctor.checks import advertised_address, certificate, limits
from peerline.doctor.checks.clock import Clock
from peerline.doctor.checks.nat_type import meets
from peerline.doctor.checks.relay import Relay
from peerline.doctor.examination import verdict
from peerline.doctor.identity import KEY_FILE, Identity, load_identity
from peerline.doctor.listening_process import Descriptors, descriptors_of_listener
from peerline.doctor.patient import Patient
from peerline.doctor.place import Place, network_of, place_of
from peerline.doctor.report import without_addresses
from peerline.doctor.stun.behaviour import Behaviour
from peerline.errors import PeerlineError
from peerline.lab import Dependence, NatType
from peerline.server_url import parse_server

EI, AD, APD = Dependence


def patient() -> Patient:
    return Patient(parse_server("http://localhost:8080"), Identity("doctor", "k" * 32))


class Made(Check):
    """A check that does what the test says."""

    name = "made"
    title = "Made"
    timeout_s = 0.05

    def __init__(self, what: object) -> None:
        super().__init__()
        self._what = what

    async def examine(self, patient: Patient) -> Outcome:
        self.say("looking")
        if isinstance(self._what, Exception):
            raise self._what
        if isinstance(self._what, Outcome):
            return self._what
        await asyncio.Event().wait()
        raise AssertionError("never")


async def course(check: Check) -> list[State]:
    states = [check.state]
    await check.run(patient(), lambda one: states.append(one.state))
    return states


async def test_a_check_goes_from_idle_over_running_to_its_end() -> None:
    assert await course(Made(ok("fine"))) == [State.IDLE, State.RUNNING, State.OK]
    assert await course(Made(warning("so so", "do this"))) == [State.IDLE, State.RUNNING, State.WARNING]


async def test_an_error_with_a_hint_is_a_failure_with_a_fix() -> None:
    check = Made(PeerlineError("broken", hint="mend it"))
    assert (await course(check))[-1] is State.FAILED
    assert check.outcome == Outcome(State.FAILED, "broken", "mend it")
    assert check.log == ["looking"]


async def test_a_check_that_takes_too_long_has_failed() -> None:
    check = Made(None)
    assert (await course(check))[-1] is State.FAILED
    assert check.outcome is not None
    assert "0.05 s" in check.outcome.summary


async def test_a_check_that_breaks_takes_nothing_with_it() -> None:
    check = Made(KeyError("x"))
    assert (await course(check))[-1] is State.FAILED
    assert check.outcome is not None
    assert "KeyError" in check.outcome.summary


async def test_the_verdict_is_the_worst_and_what_is_unknown_is_no_warning() -> None:
    checks: list[Check] = [Made(ok("fine")), Made(Outcome(State.UNKNOWN, "?"))]
    for check in checks:
        await course(check)
    assert verdict(checks) is State.OK
    checks.append(Made(warning("so so")))
    await course(checks[-1])
    assert verdict(checks) is State.WARNING
    checks.append(Made(PeerlineError("broken")))
    await course(checks[-1])
    assert verdict(checks) is State.FAILED


# Addresses --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("127.0.0.1", Place.LOOPBACK), ("::1", Place.LOOPBACK), ("0.0.0.0", Place.LOOPBACK),
        ("169.254.1.1", Place.LINK_LOCAL), ("fe80::1%eth0", Place.LINK_LOCAL), ("172.17.0.2", Place.CONTAINER),
        ("100.64.0.1", Place.CGNAT), ("100.127.255.255", Place.CGNAT), ("100.128.0.1", Place.PUBLIC),
        ("10.1.2.3", Place.PRIVATE), ("172.16.0.1", Place.PRIVATE), ("192.168.1.1", Place.PRIVATE),
        ("fd00::1", Place.PRIVATE), ("203.0.113.1", Place.PUBLIC), ("2001:db8::1", Place.PUBLIC),
        ("::ffff:10.0.0.1", Place.PRIVATE),
    ],
)  # fmt: skip
def test_where_an_address_can_be_reached_from(address: str, place: Place) -> None:
    assert place_of(address) is place


@pytest.mark.parametrize(
    ("asked", "told", "state", "fix"),
    [
        ("203.0.113.1", "203.0.113.1", State.OK, None),
        ("127.0.0.1", "127.0.0.1", State.OK, None),
        ("192.168.1.5", "192.168.1.5", State.OK, None),
        ("203.0.113.1", "172.17.0.2", State.FAILED, "--external-ip 203.0.113.1/172.17.0.2"),
        ("203.0.113.1", "10.0.0.5", State.FAILED, "--external-ip 203.0.113.1/10.0.0.5"),
        ("203.0.113.1", "100.64.3.4", State.FAILED, "--external-ip 203.0.113.1/100.64.3.4"),
        ("203.0.113.1", "127.0.0.1", State.FAILED, "--external-ip 203.0.113.1"),
        ("192.168.1.5", "172.17.0.2", State.WARNING, "--external-ip 192.168.1.5/172.17.0.2"),
        ("127.0.0.1", "172.17.0.2", State.WARNING, "--external-ip ADDRESS_OF_THE_HOST/172.17.0.2"),
        ("100.64.3.4", "100.64.3.4", State.WARNING, "--external-ip PUBLIC/100.64.3.4"),
    ],
)
def test_an_address_that_peers_cannot_reach_is_told_with_the_flag_that_mends_it(
    asked: str, told: str, state: State, fix: str | None
) -> None:
    outcome = advertised_address.judge(asked, told)
    assert (outcome.state, outcome.fix) == (state, fix)


def test_the_network_to_allow_is_that_of_the_peer() -> None:
    assert network_of("127.0.0.1") == "127.0.0.0/8"
    assert network_of("::1") == "::1/128"
    assert network_of("192.168.7.9") == "192.168.7.0/24"
    assert network_of("fd00::1:2") == "fd00::/64"


def test_a_report_for_others_shows_no_address_but_keeps_the_rest() -> None:
    assert without_addresses("10.1.0.2:5000 seen as [2001:db8::7]:61234 at 12:30:01") == (
        "ADDRESS:5000 seen as [ADDRESS]:61234 at 12:30:01"
    )
    assert without_addresses("serve --allow-peer 127.0.0.0/8, peerline 0.1.0") == (
        "serve --allow-peer 127.0.0.0/8, peerline 0.1.0"
    )


# NAT --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mapping", "filtering", "word"),
    [(EI, EI, "full-cone"), (EI, AD, "address-restricted"), (EI, APD, "port-restricted"), (APD, APD, "symmetric"),
     (AD, APD, "symmetric"), (APD, None, "symmetric"), (EI, None, None), (None, None, None)],
)  # fmt: skip
def test_a_nat_has_the_name_that_people_know(
    mapping: Dependence | None, filtering: Dependence | None, word: str | None
) -> None:
    found = Behaviour(("10.0.0.1", 1), ("203.0.113.1", 2), None, mapping, filtering)
    assert (found.type and str(found.type)) == word


def test_without_translation_it_is_open_or_has_a_firewall() -> None:
    here = ("203.0.113.1", 2)
    assert Behaviour(here, here, None, EI, EI).type is NatType.OPEN
    assert Behaviour(here, here, None, EI, APD).type is None


def test_it_is_said_whom_a_nat_can_meet() -> None:
    assert meets(NatType.FULL_CONE) == "meets everybody without a relay"
    assert meets(NatType.SYMMETRIC) == "without a relay it meets full-cone, address-restricted"


# Clock, certificate, limits ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ahead_s", "state"),
    [(None, State.UNKNOWN), (0.2, State.OK), (-4.9, State.OK), (6.0, State.WARNING), (-3600.0, State.FAILED)],
)
async def test_clocks_that_are_apart_are_told(ahead_s: float | None, state: State) -> None:
    check, who = Clock(), patient()
    who.clock_ahead_s = ahead_s
    await check.run(who, lambda _: None)
    assert check.state is state
    assert check.outcome is not None
    assert (check.outcome.fix is not None) == (state in (State.WARNING, State.FAILED))


@pytest.mark.parametrize(("ahead_s", "state"), [(None, State.UNKNOWN), (0.0, State.WARNING)])
async def test_a_server_without_stun_and_turn_is_not_well(ahead_s: float | None, state: State) -> None:
    check, who = Relay("udp"), patient()
    who.clock_ahead_s = ahead_s  # whoever has signed in knows it
    await check.run(who, lambda _: None)
    assert check.outcome is not None
    assert (check.state, check.outcome.fix is not None) == (state, state is State.WARNING)


NOW = datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)


@pytest.mark.parametrize(
    ("begins", "ends", "code", "host", "state", "words"),
    [
        (-1, 60, 0, "example.org", State.OK, "59 more days"),
        (-1, 5, 0, "example.org", State.WARNING, "ends in 5 days"),
        (-90, -1, 10, "example.org", State.FAILED, "ended on 2026-05-31"),
        (1, 60, 9, "example.org", State.FAILED, "begins on 2026-06-02"),
        (-1, 60, 62, "example.com", State.FAILED, "is for example.org, not for example.com"),
        (-1, 60, 18, "192.168.1.5", State.WARNING, "home-made"),
        (-1, 60, 18, "203.0.113.1", State.WARNING, "home-made"),
        (-1, 60, 18, "laptop.local", State.WARNING, "home-made"),
        (-1, 60, 18, "example.org", State.FAILED, "browsers refuse"),
        (-1, 60, 20, "192.168.1.5", State.FAILED, "browsers refuse"),
    ],
)  # fmt: skip
def test_a_certificate_is_judged(begins: int, ends: int, code: int, host: str, state: State, words: str) -> None:
    # Half a day, so that no rounding is at work.
    found = Certificate(
        ["example.org"], NOW + begins * DAY, NOW + ends * DAY - DAY / 2 * (ends > 5) + DAY / 2 * (ends == 5), "AB",
        "refused by OpenSSL" if code else None, code,
    )  # fmt: skip
    outcome = certificate.judge(found, "the page", host, NOW)
    assert outcome.state is state, outcome
    assert words in outcome.summary
    assert (outcome.fix is None) == (state is State.OK)


def test_a_home_made_certificate_of_the_relay_is_worse_than_one_of_the_page() -> None:
    found = Certificate(["10.0.0.1"], NOW - DAY, NOW + 60 * DAY, "AB", "self-signed certificate", 18)
    page, relay = (certificate.judge(found, what, "10.0.0.1", NOW) for what in (certificate.PAGE, certificate.RELAY))
    assert "browsers warn once" in page.summary
    assert relay.fix == "peerline serve --turn-cert FILE --turn-key FILE"


def test_limits_are_judged_with_the_line_that_lifts_them() -> None:
    enough: dict[str, int | None] = {"net.core.rmem_max": 4 << 20, "net.core.wmem_max": None}
    assert limits.judge(Descriptors(20, 20_000), enough).state is State.OK
    few = limits.judge(Descriptors(20, 1024), enough)
    assert (few.state, few.fix and few.fix.split()[:2]) == (State.WARNING, ["ulimit", "-Hn"])
    assert "18000 of 20000" in limits.judge(Descriptors(18_000, 20_000), enough).summary
    small = limits.judge(Descriptors(20, 20_000), {"net.core.rmem_max": 212_992, "net.core.wmem_max": 4 << 20})
    assert (small.state, small.fix) == (State.WARNING, "sysctl -w net.core.rmem_max=4194304")


async def test_the_process_behind_a_port_is_found() -> None:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    found = descriptors_of_listener(port)
    assert found is not None
    assert 0 < found.used <= found.limit
    assert found.used >= len(os.listdir("/proc/self/fd")) - 1
    server.close()
    await server.wait_closed()
    assert descriptors_of_listener(port) is None


def test_a_machine_without_proc_says_nothing(tmp_path: Path) -> None:
    assert descriptors_of_listener(80, tmp_path) is None


# Who the doctor is ------------------------------------------------------------------------------------


def test_the_doctor_comes_under_the_same_name_again(tmp_path: Path) -> None:
    first = load_identity(tmp_path / "data")
    assert load_identity(tmp_path / "data") == first
    assert load_identity(tmp_path / "other") != first
    assert (tmp_path / "data" / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert first.own not in repr(first)
    assert first.own not in first.name


def test_a_key_that_is_none_is_replaced_and_a_folder_that_is_none_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_bytes(b"\xff\xfe broken")
    assert load_identity(tmp_path) == load_identity(tmp_path)
    file = tmp_path / "file"
    file.touch()
    assert load_identity(file).name.startswith("doctor ")
