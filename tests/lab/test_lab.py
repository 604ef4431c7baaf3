"""The lab itself: programs run in it, and nothing of it is left behind, not even by those who were killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from peerline.lab import Lab, LabError, runs, what_is_missing
from peerline.lab.namespace import DIRECTORY, Namespace

# Makes a lab with a program in it, says so, and stays.
_RUN = """
from peerline.lab import Lab
lab = Lab()
ann = lab.behind("symmetric").host("ann")
lab.shape(ann, loss=0.1)
program = ann.popen(["sleep", "1000"])
print(ann.namespace.name, program.pid, flush=True)
input()
"""


def _namespaces_of(pid: int) -> list[str]:
    return sorted(one.name for one in DIRECTORY.iterdir() if one.name.startswith(f"peerline-{pid}-"))


def _is_running(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def test_programs_run_in_their_host_and_see_its_address(natlab: Lab) -> None:
    ann = natlab.behind("full-cone").host("ann")
    assert ann.address == "10.1.0.2"
    assert "10.1.0.2/24" in ann.run(["ip", "-4", "addr", "show", "eth0"]).stdout
    with pytest.raises(subprocess.CalledProcessError):
        ann.run(["false"])


async def test_programs_run_without_stopping_the_loop(natlab: Lab) -> None:
    server = natlab.host("server")
    assert "203.0.113.1/24" in await server.exec(["ip", "-4", "addr", "show", "eth0"])
    with pytest.raises(subprocess.CalledProcessError) as failed:
        await server.exec(["ip", "link", "show", "nothing"])
    assert "nothing" in failed.value.stderr


def test_leaving_a_program_ends_it(natlab: Lab) -> None:
    with natlab.host("server").popen(["sleep", "1000"]) as program:
        assert _is_running(program.pid)
    assert program.returncode == -signal.SIGTERM


def test_a_launcher_starts_a_program_in_its_host(natlab: Lab, tmp_path: Path) -> None:
    launcher = natlab.host("server").write_launcher(tmp_path / "ip", shutil.which("ip") or "ip")
    shown = subprocess.run([launcher, "-4", "addr"], capture_output=True, text=True, check=True).stdout
    assert "203.0.113.1/24" in shown


def test_a_closed_lab_leaves_nothing_behind(natlab: Lab) -> None:
    before = _namespaces_of(os.getpid())
    with Lab() as lab:
        ann = lab.behind("port-restricted").host("ann")
        lab.shape(ann, delay_s=0.01)
        program = ann.popen(["sleep", "1000"])
        assert len(_namespaces_of(os.getpid())) == len(before) + 3
    assert program.wait() == -signal.SIGKILL
    assert _namespaces_of(os.getpid()) == before
    lab.close()


def test_a_cable_that_broke_is_reported_and_can_be_replaced(natlab: Lab) -> None:
    server, ann = natlab.host("server"), natlab.host("ann")
    natlab.shape(ann, delay_s=0.01)
    (wire,) = Namespace(ann.namespace.name.removesuffix("ann") + "switch").processes()
    os.kill(wire, signal.SIGKILL)
    with pytest.raises(LabError) as broken:
        natlab.shape(ann, delay_s=0.02)
    assert broken.value.code == "lab_system"
    natlab.shape(ann)
    with server.socket() as there, ann.socket() as here:
        there.settimeout(2)
        here.sendto(b"hello", there.getsockname())
        assert there.recv(100) == b"hello"


def test_a_lab_that_could_not_be_finished_leaves_nothing_behind(natlab: Lab) -> None:
    before = _namespaces_of(os.getpid())
    lab = Lab()
    lab.host("ann")
    with pytest.raises(LabError), lab:
        lab.host("ann")
    assert _namespaces_of(os.getpid()) == before


def test_the_next_run_removes_what_a_killed_one_left_behind(natlab: Lab) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _RUN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        name, program = run.stdout.readline().split()
        runs.remove_stale()
        assert name in _namespaces_of(run.pid), "a living run's namespaces are nobody else's business"
        assert _is_running(int(program))
        run.kill()
    assert name in _namespaces_of(run.pid)
    runs.remove_stale()
    assert _namespaces_of(run.pid) == []
    assert not _is_running(int(program))
    assert not (runs.LOCKS / str(run.pid)).exists()


def test_two_labs_know_nothing_of_each_other(natlab: Lab) -> None:
    with Lab() as other, other.host("server").socket(port=5000) as theirs, natlab.host("server").socket() as ours:
        assert theirs.getsockname()[0] == ours.getsockname()[0]
        theirs.settimeout(0.2)
        ours.sendto(b"hello", theirs.getsockname())
        with pytest.raises(TimeoutError):
            theirs.recv(100)


def test_a_name_is_given_once(natlab: Lab) -> None:
    natlab.host("ann")
    with pytest.raises(LabError) as refused:
        natlab.behind("open").host("ann")
    assert refused.value.code == "lab_name"


def test_who_is_not_root_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert what_is_missing() == "the NAT lab needs root, to make network namespaces"
    with pytest.raises(LabError) as refused:
        Lab()
    assert refused.value.code == "lab_missing"


def test_other_systems_and_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda command: None)
    assert what_is_missing() == "the NAT lab needs iproute2 and nftables (apt-get install iproute2 nftables)"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert what_is_missing() == "the NAT lab is made of Linux network namespaces; this is darwin"


def test_the_fixture_skips_with_the_reason_where_there_can_be_no_lab(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text("import os\nos.geteuid = lambda: 1000\n")
    (tmp_path / "test_it.py").write_text("def test_it(natlab): assert False\n")
    plugin = [] if _is_registered() else ["-p", "peerline.lab.plugin"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rs", *plugin, tmp_path], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 skipped" in done.stdout
    assert "SKIPPED" in done.stdout
    assert "needs root" in done.stdout


def _is_registered() -> bool:
    from importlib.metadata import entry_points

    return any(one.value == "peerline.lab.plugin" for one in entry_points(group="pytest11"))
