"""`peerline doctor` as people run it: against real servers, against coturn, and against nobody."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from doctor.coturn import Coturn, coturn
from doctor.tls_proxy import TlsProxy
from lab.authority import Authority
from system.ports import occupied
from system.server_process import PEERLINE, ServerProcess, create_token, standalone

SIGNALING = ["signaling-websocket", "signaling-http"]
OVER_UDP_AND_TCP = ["stun-udp", "relay-udp", "stun-tcp", "relay-tcp"]


def run(folder: Path, *flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command, with a home of its own."""
    return subprocess.run(
        [PEERLINE, "doctor", *flags], capture_output=True, text=True, timeout=60,
        env={"HOME": str(folder), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **environment},
    )  # fmt: skip


def examine(folder: Path, *flags: str, code: int = 0, **environment: str) -> dict[str, Any]:
    """The report as JSON."""
    done = run(folder, "--json", *flags, **environment)
    assert done.returncode == code, done.stdout + done.stderr
    assert done.stderr == ""
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def states(report: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["state"] for check in report["checks"]}


def check(report: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in report["checks"] if one["name"] == name)


def running(folder: Path, *flags: str) -> Iterator[ServerProcess]:
    server = standalone(folder, "--no-db", *flags).start()
    yield server
    server.end()
    assert "Traceback" not in server.printed(), server.printed()


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """On localhost alone: no relay."""
    yield from running(tmp_path_factory.mktemp("alone"))


@pytest.fixture(scope="module")
def relaying(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    yield from running(tmp_path_factory.mktemp("relaying"), "--allow-peer", "127.0.0.0/8")


@pytest.fixture(scope="module")
def turn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    with coturn(tmp_path_factory.mktemp("turn"), "--allow-loopback-peers") as server:
        yield server


# Peerline's own server --------------------------------------------------------------------------------


def test_a_server_with_a_relay_is_well(relaying: ServerProcess, tmp_path: Path) -> None:
    report = examine(tmp_path, "--server", relaying.url)
    found = states(report)
    assert "failed" not in found.values(), report
    for name in (*SIGNALING, *OVER_UDP_AND_TCP, "clock", "certificate", "nat", "advertised-address", "relay-ports"):
        assert found[name] == "ok", check(report, name)
    path = report["path"]
    assert path["server"] == "127.0.0.1"
    assert path["relayed"]["udp"].startswith("127.0.0.1:")
    assert {"WebSocket", "HTTP", "STUN udp", "relay udp"} <= set(path["round_trips_ms"])
    assert not path["is_udp_blocked"]


def test_on_localhost_alone_it_says_the_line_that_opens_the_relay(alone: ServerProcess, tmp_path: Path) -> None:
    report = examine(tmp_path, "--server", alone.url)
    relay = check(report, "relay-udp")
    assert relay["state"] == "warning"
    assert relay["fix"] == "peerline serve --allow-peer 127.0.0.0/8"
    assert report["verdict"] == "warning"


def test_what_people_read_is_aligned_without_colour_and_ends_with_the_picture(
    alone: ServerProcess, tmp_path: Path
) -> None:
    done = run(tmp_path, "--server", alone.url)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    assert lines[0].startswith("✓ Signaling over WebSocket")
    assert "→ peerline serve --allow-peer 127.0.0.0/8" in done.stdout
    marked = [line for line in lines if line[:1] in ("✓", "!", "✗", "·")]
    assert len(marked) == 14
    assert len({line.index(line[2:].split("  ")[-1].strip()) for line in marked}) == 1, (
        "the summaries stand in one column"
    )
    me, drawn = next((a, b) for a, b in itertools.pairwise(lines) if a.strip().startswith("me "))
    assert me.split() == ["me", "server"]
    assert "───►" in drawn
    assert lines[-1] == f"What the browser thinks of it: {alone.url}/doctor"


def test_no_address_stands_in_a_report_for_others(relaying: ServerProcess, tmp_path: Path) -> None:
    port = relaying.port
    shown = run(tmp_path, "--server", f"http://localhost:{port}", "--verbose", "--no-addresses").stdout
    assert "relayed address" in shown
    own = socket.gethostbyname(socket.gethostname())
    assert own == "127.0.0.1" or own not in shown


def test_the_picture_keeps_its_shape_without_addresses(relaying: ServerProcess, tmp_path: Path) -> None:
    shown = run(tmp_path, "--server", f"http://localhost:{relaying.port}", "--no-addresses").stdout.splitlines()
    head, drawn = next((a, b) for a, b in itertools.pairwise(shown) if a.strip().startswith("me "))
    assert head.index("server") == drawn.index("───►") + len("───► ")


def test_a_server_that_has_ipv6_alone_is_well(tmp_path: Path) -> None:
    for server in running(tmp_path / "server", "--host", "::1", "--allow-peer", "::1/128"):
        found = states(examine(tmp_path, "--server", f"http://[::1]:{server.port}"))
        for name in (*SIGNALING, *OVER_UDP_AND_TCP, "nat", "advertised-address", "relay-ports"):
            assert found[name] == "ok", found


def test_a_home_made_certificate_on_the_lan_is_found_behind_plain_http(tmp_path: Path) -> None:
    for server in running(tmp_path / "server", "--lan", "--turn-tls-port", "0"):
        httpx.get(f"{server.url}/healthz").raise_for_status()  # who is answered comes after all that is printed
        printed = re.search(r"https://(\S+):\d+", server.printed())
        assert printed is not None
        report = examine(tmp_path, "--server", f"http://{printed[1]}:{server.port}")
        assert report["server"] == f"https://{printed[1]}:{server.port}"
        assert check(report, "certificate")["state"] == "warning"
        assert "home-made" in check(report, "certificate")["summary"]
        for name in (*SIGNALING, "stun-tls", "relay-udp", "relay-tls"):
            assert states(report)[name] == "ok", report


def test_the_doctor_leaves_one_name_behind_however_often_it_comes(relaying: ServerProcess, tmp_path: Path) -> None:
    logs = [check(examine(tmp_path, "--server", relaying.url), SIGNALING[0])["log"][0] for _ in range(2)]
    assert logs[0] == logs[1]
    assert logs[0].startswith("signed in as doctor ")


def test_a_server_below_a_path_is_not_found_where_there_is_none(alone: ServerProcess, tmp_path: Path) -> None:
    done = run(tmp_path, "--server", f"{alone.url}/calls")
    assert done.returncode == 2
    assert "no Peerline server" in done.stderr


def test_a_token_is_asked_for_with_the_line_that_makes_one(tmp_path: Path) -> None:
    for server in running(tmp_path / "server", "--auth", "token", "--allow-peer", "127.0.0.0/8"):
        report = examine(tmp_path, "--server", server.url, code=1)
        assert states(report)["signaling-websocket"] == "failed"
        assert "peerline token create" in check(report, "signaling-http")["fix"]
        assert states(report)["relay-udp"] == "unknown"
        token = create_token(server.folder, "Doctor")
        file = tmp_path / "token.txt"
        file.write_text(f"{token}\n")
        done = run(tmp_path, "--json", "--server", server.url, "--token", str(file))
        assert done.returncode == 0, done.stdout
        assert token not in done.stdout
        assert states(json.loads(done.stdout))["relay-udp"] == "ok"


def test_a_home_made_certificate_is_a_warning_and_gets_no_token(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate = authority.issue(["127.0.0.1"], tmp_path / "server.pem")
    token = tmp_path / "token.txt"
    token.write_text("a.secret.token")
    with _tls_in_front(tmp_path, certificate) as url:
        report = examine(tmp_path, "--server", url, code=1)
        assert states(report)["certificate"] == "failed", "nobody knows who signed it"
        assert states(report)["signaling-websocket"] == states(report)["signaling-http"] == "ok"
        refused = examine(tmp_path, "--server", url, "--token", str(token), code=1)
        assert "stays here" in check(refused, "signaling-http")["summary"]
        trusted = examine(tmp_path, "--server", url, SSL_CERT_FILE=str(authority.certificate))
        assert states(trusted)["certificate"] == "ok"


@contextmanager
def _tls_in_front(folder: Path, certificate: Path) -> Iterator[str]:
    """`peerline serve` behind a proxy that speaks TLS."""
    for server in running(folder / "behind"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        with TlsProxy(context, server.port) as port:
            yield f"https://127.0.0.1:{port}"


# coturn -----------------------------------------------------------------------------------------------


def test_a_turn_server_alone_is_examined_over_udp_tcp_and_tls(turn: Coturn, tmp_path: Path) -> None:
    report = examine(tmp_path, *turn.flags, SSL_CERT_FILE=str(turn.authority))
    found = states(report)
    assert set(SIGNALING).isdisjoint(found)
    for transport in ("udp", "tcp", "tls"):
        assert found[f"stun-{transport}"] == found[f"relay-{transport}"] == "ok", report
    assert found["certificate"] == found["relay-ports"] == found["nat"] == "ok"
    assert report["path"]["nat"] == "open"


def test_a_server_and_a_turn_server_of_somebody_else_are_examined_together(
    relaying: ServerProcess, turn: Coturn, tmp_path: Path
) -> None:
    report = examine(tmp_path, "--server", relaying.url, *turn.flags, SSL_CERT_FILE=str(turn.authority))
    found = states(report)
    assert [found[name] for name in (*SIGNALING, *OVER_UDP_AND_TCP, "relay-tls")] == ["ok"] * 7
    assert str(turn.port) in check(report, "relay-udp")["log"][0], "not the one that the server offers"


def test_a_wrong_password_is_named(turn: Coturn, tmp_path: Path) -> None:
    flags = [*turn.flags[:-1], "ann:wrong"]
    report = examine(tmp_path, *flags, code=1)
    assert "password" in check(report, "relay-tcp")["summary"]
    assert states(report)["stun-udp"] == "ok"
    assert "wrong" not in json.dumps(check(report, "relay-udp")["log"])


def test_a_relay_that_may_not_reach_us_is_a_warning_with_the_network_to_allow(tmp_path: Path) -> None:
    with coturn(tmp_path / "turn") as strict:
        report = examine(tmp_path, *strict.flags[:2], *strict.flags[-2:])
        for name in ("relay-udp", "relay-ports"):
            assert check(report, name)["state"] == "warning", report
            assert check(report, name)["fix"] == "--allow-peer 127.0.0.0/8"


# Nobody, and nonsense ---------------------------------------------------------------------------------


@pytest.fixture
def closed_port() -> Iterator[int]:
    """Nobody listens there, and nobody else is given it."""
    with occupied("tcp", listens=False) as port:
        yield port


def test_a_server_that_is_not_there_is_said_in_two_lines(tmp_path: Path, closed_port: int) -> None:
    url = f"http://127.0.0.1:{closed_port}"
    done = run(tmp_path, "--server", url)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        f"peerline: nobody listens at {url} [refused]",
        "  Start it with `peerline serve`, or name another with --server URL.",
    ]
    assert examine(tmp_path, "--server", url, code=2)["error"]["code"] == "refused"


def test_a_turn_server_that_is_not_there_fails_each_check_of_it(tmp_path: Path, closed_port: int) -> None:
    where = f"127.0.0.1:{closed_port}"
    report = examine(
        tmp_path, "--turn", f"turn:{where}", "--turn", f"turn:{where}?transport=tcp", "--user", "a:b", code=1
    )
    found = states(report)
    assert found["stun-udp"] == found["stun-tcp"] == found["relay-udp"] == found["relay-tcp"] == "failed"
    assert found["relay-ports"] == found["advertised-address"] == found["nat"] == "unknown"


async def test_a_stranger_on_the_port_is_called_a_stranger(tmp_path: Path) -> None:
    answers = {
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi": "no Peerline server",
        b"SSH-2.0-OpenSSH_9.2\r\n": "does not speak HTTP",
        b"": "http",
    }
    for answer, words in answers.items():

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: bytes = answer) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        done = await asyncio.to_thread(run, tmp_path, "--server", url)
        server.close()
        assert done.returncode == 2, done.stdout
        assert words in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--server", "ftp://a"], "no address of a server"),
        (["--turn", "turn:a"], "--user NAME:PASSWORD"),
        (["--turn", "turn:a", "--user", "ann"], "has no password"),
        (["--user", "ann:secret"], "--turn URI"),
        (["--turn", "nonsense"], "turn:example.org:3478"),
        (["--token", "/nowhere"], "No such file"),
        (["--token", "/dev/null"], "no token in it"),
        (["--frobnicate"], "unrecognized arguments"),
    ],
)
def test_nonsense_on_the_command_line_is_refused_with_an_example(flags: list[str], words: str, tmp_path: Path) -> None:
    done = run(tmp_path, *flags)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
