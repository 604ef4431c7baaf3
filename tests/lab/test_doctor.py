"""The doctor in the lab: what it says of a NAT must be what the NAT is, and the relay must work from behind it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lab.authority import Authority
from lab.relays import PASSWORD, PORT, TLS_PORT, USER
from peerline.doctor.stun.message import Kind, Method, write
from peerline.lab import Host, Lab, NatType
from system.server_process import PEERLINE

TRANSLATING = [one for one in NatType if one not in (NatType.OPEN, NatType.UDP_BLOCKED)]


@contextmanager
def coturn(host: Host, folder: Path) -> Iterator[Path]:
    """coturn at both addresses of the host, which is what RFC 5780 needs; gives the authority to trust."""
    if shutil.which("turnserver") is None:
        pytest.skip("needs coturn (apt-get install coturn)")
    authority = Authority(folder)
    certificate = authority.issue(host.addresses, folder / "server.pem")
    listen = [word for address in host.addresses for word in ("--listening-ip", address)]
    command = [
        "turnserver", "-n", *listen, "--relay-ip", host.address,
        "--listening-port", str(PORT), "--tls-listening-port", str(TLS_PORT),
        "--cert", str(certificate), "--pkey", str(certificate), "--no-dtls", "--no-cli",
        "--lt-cred-mech", "--user", f"{USER}:{PASSWORD}", "--realm", "lab", "--log-file", "stdout",
        "--userdb", str(folder / "users.sqlite"), "--pidfile", str(folder / "pid"),
    ]  # fmt: skip
    log = folder / "coturn.txt"
    with log.open("wb") as out, host.popen(command, stdout=out, stderr=out) as program:
        for address in host.addresses:
            for port in (PORT, PORT + 1):
                _wait_for_an_answer(host, (address, port), program, log)
        yield authority.certificate


def _wait_for_an_answer(host: Host, server: tuple[str, int], program: subprocess.Popen[Any], log: Path) -> None:
    with host.socket() as client:
        client.settimeout(0.1)
        for _ in range(150):
            assert program.poll() is None, log.read_text(errors="replace")
            client.sendto(write(Method.BINDING, Kind.REQUEST, b"are you here"), server)
            try:
                client.recv(1000)
                return
            except TimeoutError:
                continue
    raise AssertionError(log.read_text(errors="replace"))


async def examined_from(host: Host, folder: Path, *flags: str, trust: Path | None = None) -> dict[str, Any]:
    """What `peerline doctor` says there, as JSON."""
    environment = ["env", f"HOME={folder}"] + ([f"SSL_CERT_FILE={trust}"] if trust is not None else [])
    process = await asyncio.create_subprocess_exec(
        *host.command(*environment, PEERLINE, "doctor", "--json", *flags), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    report: dict[str, Any] = json.loads(out)
    return report


def states(report: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["state"] for check in report["checks"]}


def turn_flags(server: str) -> list[str]:
    urls = [f"turn:{server}:{PORT}", f"turn:{server}:{PORT}?transport=tcp", f"turns:{server}:{TLS_PORT}"]
    return [*(word for url in urls for word in ("--turn", url)), "--user", f"{USER}:{PASSWORD}"]


async def test_the_nat_that_is_found_is_the_nat_that_is_there(natlab: Lab, tmp_path: Path) -> None:
    server = natlab.host("server", addresses=2)
    homes = {nat: natlab.behind(nat) for nat in NatType}
    hosts = {nat: home.host(f"at-{nat}") for nat, home in homes.items()}
    with coturn(server, tmp_path) as trust:
        reports = dict(
            zip(
                hosts,
                await asyncio.gather(
                    *(
                        examined_from(host, tmp_path, *turn_flags(server.address), trust=trust)
                        for host in hosts.values()
                    )
                ),
                strict=True,
            )
        )
    for nat in TRANSLATING:
        report, path = reports[nat], reports[nat]["path"]
        assert path["nat"] == nat.word, report
        assert (path["mapping"], path["filtering"]) == (nat.mapping, nat.filtering)
        assert path["local"].partition(":")[0] == hosts[nat].address
        assert path["mapped"].partition(":")[0] == homes[nat].public_address
        assert set(states(report).values()) <= {"ok", "unknown"}, report
        assert all(states(report)[f"relay-{transport}"] == "ok" for transport in ("udp", "tcp", "tls"))
        assert states(report)["relay-ports"] == "ok", "any NAT lets answers in"
        assert report["picture"][0].split() == ["me", "NAT", "server"]
        assert nat.word in report["picture"][2]
    opened = reports[NatType.OPEN]
    assert opened["path"]["nat"] == "open"
    assert opened["picture"][0].split() == ["me", "server"]
    blocked = reports[NatType.UDP_BLOCKED]
    assert blocked["path"]["is_udp_blocked"]
    found = states(blocked)
    assert (found["stun-udp"], found["relay-udp"], found["relay-tcp"]) == ("failed", "failed", "failed")
    assert (found["stun-tls"], found["relay-tls"], found["nat"]) == ("ok", "ok", "warning")
    nat_check = next(check for check in blocked["checks"] if check["name"] == "nat")
    assert "--turn-tls-port" in nat_check["fix"]


async def test_our_own_server_with_a_second_address_finds_each_nat(natlab: Lab, tmp_path: Path) -> None:
    server = natlab.host("server", addresses=2)
    homes = {nat: natlab.behind(nat).host(f"at-{nat}") for nat in (NatType.OPEN, *TRANSLATING)}
    command = [
        "env", f"HOME={tmp_path}", PEERLINE, "turn", "--host", server.address, "--turn-alternate", server.addresses[1],
        "--user", f"{USER}:{PASSWORD}", "--allow-peer", "203.0.113.0/24",
    ]  # fmt: skip
    flags = [*turn_flags(server.address)[:4], "--user", f"{USER}:{PASSWORD}"]  # without a certificate there is no TLS
    with server.popen(command, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        await asyncio.to_thread(program.stdout.readline)
        reports = await asyncio.gather(*(examined_from(host, tmp_path, *flags) for host in homes.values()))
    for nat, report in zip(homes, reports, strict=True):
        assert report["path"]["nat"] == nat.word, report
        assert report["verdict"] == "ok", report


async def test_our_own_server_is_well_from_behind_the_worst_nat(natlab: Lab, tmp_path: Path) -> None:
    server = natlab.host("server")
    ann = natlab.behind("symmetric").host("ann")
    command = [
        "env", f"HOME={tmp_path}", PEERLINE, "serve", "--host", server.address, "--port", "8080", "--no-db",
        "--allow-peer", "203.0.113.0/24",
    ]  # fmt: skip
    with server.popen(command, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        await asyncio.to_thread(program.stdout.readline)
        report = await examined_from(ann, tmp_path, "--server", f"http://{server.address}:8080")
    found = states(report)
    for name in ("signaling-websocket", "signaling-http", "stun-udp", "relay-udp", "relay-ports", "advertised-address"):
        assert found[name] == "ok", report
    assert found["nat"] == "unknown", "it has one address only"
    assert found["certificate"] == "warning", "no camera over plain HTTP"


async def test_a_closed_firewall_in_front_of_the_relay_is_found(natlab: Lab, tmp_path: Path) -> None:
    server = natlab.host("server", addresses=2)
    ann = natlab.behind("full-cone").host("ann")
    with coturn(server, tmp_path) as trust:
        server.namespace.nft(
            "table inet closed {\n"
            "chain in {\n"
            "type filter hook input priority 0\n"
            "ip saddr != 203.0.113.1 udp dport 49152-65535 drop\n"
            "}\n"
            "}\n"
        )
        report = await examined_from(ann, tmp_path, *turn_flags(server.address), trust=trust)
    ports = next(check for check in report["checks"] if check["name"] == "relay-ports")
    assert ports["state"] == "failed", report
    assert "ufw allow 49152:65535/udp" in ports["fix"]
    assert states(report)["relay-udp"] == "ok", "the relay reaches itself"


async def test_a_relay_whose_own_address_leads_nowhere_from_within_is_found(natlab: Lab, tmp_path: Path) -> None:
    server = natlab.host("server", addresses=2)
    ann = natlab.behind("full-cone").host("ann")
    with coturn(server, tmp_path) as trust:
        server.namespace.nft(
            "table inet closed {\n"
            "chain in {\n"
            "type filter hook input priority 0\n"
            "iif lo udp dport 49152-65535 drop\n"
            "}\n"
            "}\n"
        )
        report = await examined_from(ann, tmp_path, *turn_flags(server.address), trust=trust)
    relay = next(check for check in report["checks"] if check["name"] == "relay-udp")
    assert relay["state"] == "warning", report
    assert relay["fix"].startswith(f"--external-ip {server.address}/")
    assert states(report)["relay-ports"] == "ok", "from outside it works"


async def test_two_servers_that_see_two_ports_give_a_symmetric_nat_away(natlab: Lab, tmp_path: Path) -> None:
    server = natlab.host("server", addresses=2)
    urls = [word for address in server.addresses for word in ("--turn", f"stun:{address}:{PORT}")]
    with contextlib.ExitStack() as stack:
        for address in server.addresses:
            command = ["env", f"HOME={tmp_path}", PEERLINE, "turn", "--host", address]
            program = stack.enter_context(server.popen(command, stdout=subprocess.PIPE))
            assert program.stdout is not None
            await asyncio.to_thread(program.stdout.readline)
        symmetric = await examined_from(natlab.behind("symmetric").host("ann"), tmp_path, *urls)
        cone = await examined_from(natlab.behind("full-cone").host("bob"), tmp_path, *urls)
    assert (states(symmetric)["nat"], symmetric["path"]["nat"]) == ("ok", "symmetric")
    assert (states(cone)["nat"], cone["path"]["nat"]) == ("unknown", None)
    check = next(check for check in cone["checks"] if check["name"] == "nat")
    assert "the same port for 2 servers" in check["summary"]
    assert "RFC 5780" in check["summary"]
