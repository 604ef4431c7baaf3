"""Our signaling server against the `peer` server from npm: same machine, same run, turn by turn.

Relay of 300-byte messages over 2,000 WebSockets, 200 pairs of them busy. Ours numbers and acknowledges every
message; `peer` does neither. The server has CPU 0, the load generator CPU 1. `--generator FILE` runs another
generator with the same options and adapters.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent
PEER_VERSION = "1.0.2"
LIFTED = """
[limits]
rate = 1e9
burst = 1000000000
calls_per_minute = 0
hellos_per_minute = 0
connections = 100000
"""
PEER_SERVER = """
const { PeerServer } = require("peer");
PeerServer({ host: "127.0.0.1", port: +process.argv[2], path: "/", concurrent_limit: 100000, alive_timeout: 600000 });
"""


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--runs", type=int, default=3)
    p.add_argument("--secs", type=float, default=5)
    p.add_argument("--generator", type=Path, default=HERE / "load" / "generator.py")
    p.add_argument("--json", action="store_true")
    options = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "limits.toml").write_text(LIFTED)
        (work / "server.js").write_text(PEER_SERVER)
        (work / "package.json").write_text("{}")
        install = ["npm", "install", "--silent", "--no-audit", "--no-fund", f"peer@{PEER_VERSION}"]
        subprocess.run(install, cwd=work, check=True)
        peerline = [str(Path(sys.executable).with_name("peerline")), "serve", "--stun-port", "0", "--no-db"]
        peerline += ["--config", str(work / "limits.toml"), "--data-dir", str(work), "--port"]
        servers = {"peerline": (peerline, "protocols:Peerline"), "peer": (["node", "server.js"], "protocols:PeerJS")}
        results: dict[str, list[dict[str, Any]]] = {name: [] for name in servers}
        for _ in range(options.runs):
            for name, (command, adapter) in servers.items():
                results[name].append(measure(command, adapter, work, options))
    report(results, as_json=options.json)


def measure(command: list[str], adapter: str, work: Path, options: argparse.Namespace) -> dict[str, Any]:
    """One server, one generator."""
    port = free_port()
    pin = ["taskset", "-c", "0"] if shutil.which("taskset") and (os.cpu_count() or 1) > 1 else []
    server = subprocess.Popen(
        [*pin, *command, str(port)], cwd=work, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(port)
        time.sleep(0.7)
        load = [sys.executable, str(options.generator), "--url", f"ws://127.0.0.1:{port}", "--adapter", adapter]
        load += [
            "--pid",
            str(server.pid),
            "--secs",
            str(options.secs),
            "--rate",
            "10000",
            "--conns",
            "2000",
            "--pairs",
            "200",
        ]
        pin = ["taskset", "-c", "1"] if pin else []
        environment = os.environ | {"PYTHONPATH": str(HERE / "load")}
        done = subprocess.run([*pin, *load], env=environment, check=True, capture_output=True, text=True, timeout=120)
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return result
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()


def report(results: dict[str, list[dict[str, Any]]], *, as_json: bool) -> None:
    """Medians, and the ratio run by run."""

    def median(name: str, *path: str) -> float:
        values = []
        for result in results[name]:
            value: Any = result
            for key in path:
                value = value[key]
            values.append(float(value))
        return statistics.median(values)

    pairs = zip(results["peerline"], results["peer"], strict=True)
    ratios = [a["closed"]["msgs_per_cpu_s"] / b["closed"]["msgs_per_cpu_s"] for a, b in pairs]
    rows = {
        "messages per CPU-second": ("closed", "msgs_per_cpu_s"),
        "messages per second": ("closed", "msgs_per_s"),
        "memory per connection, KB": ("rss_per_conn_kb",),
        "p50 at 10,000 messages/s, ms": ("open", "p50_ms"),
        "p99 at 10,000 messages/s, ms": ("open", "p99_ms"),
    }
    if as_json:
        print(json.dumps({"ratio": ratios, "results": results}))
        return
    print(f"{'median of ' + str(len(ratios)):32}{'peerline':>12}{'peer':>12}")
    for label, path in rows.items():
        ours, theirs = median("peerline", *path), median("peer", *path)
        digits = 0 if ours > 1000 else 2
        print(f"{label:32}{ours:12,.{digits}f}{theirs:12,.{digits}f}")
    print(f"messages per CPU-second, ratio run by run: {', '.join(f'{r:.2f}' for r in ratios)}")
    print(f"median ratio: {statistics.median(ratios):.2f}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("the server does not listen")


if __name__ == "__main__":
    main()
