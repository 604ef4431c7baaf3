"""What people install: a wheel that needs neither Node nor Rust, and an sdist that needs no Node."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import urllib.request
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel and an sdist, made from this tree."""
    out = tmp_path_factory.mktemp("dist")
    maturin = Path(sys.executable).with_name("maturin")
    subprocess.run(
        [maturin, "build", "--release", "--locked", "--sdist", "--out", out, "--interpreter", sys.executable],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=900,
    )
    return out


def _page(names: list[str]) -> set[str]:
    return {name.partition("peerline/server/static/")[2] for name in names if "peerline/server/static/" in name}


def test_wheel_and_sdist_hold_the_built_page(dist: Path) -> None:
    with zipfile.ZipFile(next(dist.glob("*.whl"))) as wheel:
        names = wheel.namelist()
    with tarfile.open(next(dist.glob("*.tar.gz"))) as sdist:
        sources = sdist.getnames()
    for held in (_page(names), _page(sources)):
        assert "index.html" in held
        assert any(re.fullmatch(r"assets/.+\.js", name) for name in held)
        assert any(re.fullmatch(r"assets/.+\.css", name) for name in held)
    assert "peerline/py.typed" in names
    assert "peerline/sdp/explanations.json" in names
    assert any("licenses/LICENSE" in name for name in names)
    assert not [name for name in names if name.endswith((".rs", ".ts", ".tsx"))]
    assert any(name.endswith("crates/python/Cargo.toml") for name in sources)


def test_wheel_serves_the_page_from_an_empty_environment(dist: Path, tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, venv], check=True)
    python = venv / "bin" / "python"
    wheel = next(dist.glob("*.whl"))
    subprocess.run([UV, "pip", "install", "--quiet", "--python", python, wheel], check=True, timeout=600)
    # Neither Node nor Rust can be reached from here.
    environment = {"PATH": str(venv / "bin"), "HOME": str(tmp_path), "LANG": os.environ.get("LANG", "C.UTF-8")}
    version = subprocess.run(
        [venv / "bin" / "peerline", "--version"],
        env=environment,
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert re.fullmatch(r"peerline \d+\.\d+\.\d+\S*\n", version.stdout)
    server = subprocess.Popen(
        [venv / "bin" / "peerline", "serve", "--port", "0", "--stun-port", "0", "--turn-port", "0"],
        env=environment,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        assert re.fullmatch(r"http://localhost:\d+", url)
        with urllib.request.urlopen(url + "/", timeout=10) as answer:
            page = answer.read().decode()
        assets = re.findall(r'(?:src|href)="(?:\./)?(assets/[^"]+)"', page)
        assert any(name.endswith(".js") for name in assets)
        for name in assets:
            with urllib.request.urlopen(f"{url}/{name}", timeout=10) as answer:
                assert answer.status == 200
                assert answer.read()
    finally:
        server.terminate()
        code = server.wait(15)
        assert server.stdout is not None
        server.stdout.close()
    assert code == 0
    assert (tmp_path / ".peerline" / "peerline.sqlite").exists()
