"""Our TURN server against coturn: same machine, same run, turn by turn; CPU nanoseconds per relayed packet.

The generator is `turnload.c`, given with `--generator` and compiled here: it speaks to any TURN server. Servers and
generator share CPU 0; the generator sends a window and sleeps, so that the server always meets a full backlog (the
most repeatable way to compare costs). Needs root (SCHED_FIFO) and Debian's coturn. For latency the generator has CPU 1
for itself.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PEERLINE = str(Path(sys.executable).parent / "peerline")
OURS, COTURN = 24_001, 24_002
RELAY_PORTS = (25_000, 60_000)

# What is measured, the generator's options, and the ratio to coturn that is aimed at.
CASES = {
    "ChannelData, 1 flow": (["--clients", "1", "--inflight", "64", "--size", "100"], 2.2),
    "ChannelData, 100 flows, one packet each": (["--clients", "100", "--inflight", "128", "--size", "100"], 1.1),
    "ChannelData, 1,000 flows": (["--clients", "1000", "--inflight", "1000", "--size", "100"], 1.2),
    "bursts of 16, 100 flows": (["--clients", "100", "--inflight", "1600", "--burst", "16", "--size", "100"], 2.3),
    "coalesced input, 100 flows": (
        ["--clients", "100", "--inflight", "1600", "--burst", "16", "--gso", "--gro", "--size", "100"], 6.0,
    ),
    "Send indications, 100 flows": (
        ["--method", "send", "--clients", "100", "--inflight", "128", "--size", "100"], 1.4,
    ),
    "STUN Binding": (["--mode", "stun", "--clients", "100", "--inflight", "128"], 1.7),
    "Allocate cycle": (["--mode", "alloc", "--clients", "8"], 3.0),
}  # fmt: skip


@dataclass(frozen=True)
class Server:
    name: str
    port: int
    pid: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generator", type=Path, required=True, help="turnload.c")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    generator = build(arguments.generator)
    results: dict[str, Any] = {}
    with servers() as both:
        for case, (options, goal) in CASES.items():
            costs: dict[str, list[float]] = {server.name: [] for server in both}
            for _ in range(arguments.runs):
                for server in both:
                    told = run(generator, server, ["--pin", "0", "--slot", "200", "--fifo", *options])
                    costs[server.name].append(told["srv_ns_per_pkt"])
            ours, theirs = (statistics.median(costs[server.name]) for server in both)
            results[case] = {"ours_ns": ours, "coturn_ns": theirs, "ratio": theirs / ours, "goal": goal}
            print(f"  {case}: {ours:.0f} ns, coturn {theirs:.0f} ns", file=sys.stderr, flush=True)
        memory = {s.name: run(generator, s, ["--clients", "2000", "--hold", "2"]) for s in both}
        latency = {
            s.name: run(generator, s, ["--clients", "100", "--rate", "50000", "--spin", "--size", "100"], cpu=1)
            for s in both
        }
    results["memory per allocation, KB"] = {name: told["rss_bytes_per_client"] / 1024 for name, told in memory.items()}
    results["p99 at 50,000 packets/s, µs"] = {name: told["p99_us"] for name, told in latency.items()}
    print(json.dumps(results, indent=2) if arguments.json else table(results))


def build(source: Path) -> Path:
    """The generator, compiled into the cache."""
    target = Path(".cache/turnload")
    target.parent.mkdir(exist_ok=True)
    subprocess.run(["gcc", "-O2", "-pthread", "-o", target, source], check=True)
    return target.resolve()


@contextlib.contextmanager
def servers() -> Iterator[tuple[Server, Server]]:
    """Both, each pinned to CPU 0."""
    first, last = map(str, RELAY_PORTS)
    ours = ["turn", "--turn-port", str(OURS), "--user", "user:pass", "--allow-peer", "127.0.0.0/8"]
    ours += ["--relay-ports", f"{first}-{last}", "--shards", "1", "--no-limits", "--drain-s", "0"]
    coturn = ["-n", "-L", "127.0.0.1", "-E", "127.0.0.1", "-p", str(COTURN), "-a", "-u", "user:pass", "-r", "bench"]
    coturn += ["--allow-loopback-peers", "--no-tls", "--no-dtls", "--no-cli", "--log-file=/dev/null"]
    coturn += ["--min-port", first, "--max-port", last]
    with contextlib.ExitStack() as stack:
        started = []
        for name, port, command in (("ours", OURS, [PEERLINE, *ours]), ("coturn", COTURN, ["turnserver", *coturn])):
            process = subprocess.Popen(
                ["taskset", "-c", "0", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
            started.append(Server(name, port, process.pid))
        time.sleep(2)  # coturn does not say when it is ready
        yield started[0], started[1]


def run(generator: Path, server: Server, options: list[str], *, cpu: int = 0) -> dict[str, Any]:
    """One measurement of a second."""
    command = [str(generator), "--port", str(server.port), "--user", "user", "--password", "pass", "--json"]
    command += ["--server-pid", str(server.pid), "--duration", "1", *options]
    done = subprocess.run(
        ["taskset", "-c", str(cpu), *command], capture_output=True, text=True, check=True, timeout=120
    )
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


def table(results: dict[str, Any]) -> str:
    """For people."""
    lines = [f"{'CPU ns per packet':<42}{'ours':>8}{'coturn':>9}{'ratio':>8}{'goal':>7}"]
    for case, row in results.items():
        if "ratio" in row:
            figures = f"{row['ours_ns']:>8.0f}{row['coturn_ns']:>9.0f}{row['ratio']:>8.2f}{row['goal']:>7.1f}"
        else:
            figures = f"{row['ours']:>8.1f}{row['coturn']:>9.1f}"
        lines.append(f"{case:<42}{figures}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
