"""Pion's TURN client, written in Go by others: through us over UDP, TCP and TLS."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from turn.conftest import Server

FOLDER = Path(__file__).parent / "pion"


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built once. Skips where there is no Go, or no module can be had."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("needs Go")
    fetched = subprocess.run([go, "mod", "download"], cwd=FOLDER, capture_output=True, text=True)
    if fetched.returncode:
        pytest.skip(f"needs Pion's modules: {fetched.stderr.strip()}")
    built = tmp_path_factory.mktemp("pion") / "client"
    environment = {**os.environ, "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local"}
    subprocess.run([go, "build", "-o", str(built), "."], cwd=FOLDER, check=True, env=environment)
    return built


@pytest.mark.long
def test_two_relays_exchange_packets_of_all_sizes(shared: Server, program: Path, kind: str) -> None:
    host, port = shared.address(kind)
    run = subprocess.run(
        [program, "-kind", kind, "-server", f"{host}:{port}", "-user", "ann", "-password", "pass",
         "-authority", str(shared.certificate)],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert (run.returncode, run.stdout) == (0, "ok\n"), run.stderr
