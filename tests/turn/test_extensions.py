"""What is off unless it is asked for, with coturn's programs: relays for TCP (RFC 6062), discovery (RFC 5780)."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from turn.conftest import ANN, Serve
from turn.coturn import uclient

NOBODY = ("127.0.0.1", 9)  # its clients are each other's peers


@pytest.mark.parametrize(
    ("over", "flags"),
    [
        ("tcp", ("-T",)),
        pytest.param("tcp", ("-T", "-m", "8"), marks=pytest.mark.long),
        pytest.param("tls", ("-T", "-S"), marks=pytest.mark.long),
    ],
)
def test_clients_reach_each_other_over_tcp_through_their_relays(
    serve: Serve, over: str, flags: tuple[str, ...]
) -> None:
    if shutil.which("turnutils_uclient") is None:
        pytest.skip("needs coturn's clients (apt-get install coturn)")
    server = serve(*ANN, "--tcp-relays", "--shards", "2", "--no-limits")
    run = uclient(server.address(over), NOBODY, *flags)
    assert run.code == 0, run.said
    assert run.sent == run.received >= 20, run.said


@pytest.mark.parametrize("shards", ["1", "2"])
def test_a_program_that_asks_what_the_nat_does_finds_out_that_there_is_none(serve: Serve, shards: str) -> None:
    if shutil.which("turnutils_natdiscovery") is None:
        pytest.skip("needs coturn's clients (apt-get install coturn)")
    server = serve(*ANN, "--turn-alternate", "127.0.0.2", "--shards", shards)
    host, port = server.address("udp")
    done = subprocess.run(
        ["turnutils_natdiscovery", "-m", "-f", "-p", str(port), "-L", "127.0.0.1", host],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert "Endpoint Independent Filtering" in said, said
    assert f"Other addr: : 127.0.0.2:{port + 1}" in said, said
