"""Our TURN server against coturn: same machine, same run, turn by turn; CPU nanoseconds per relayed packet.

The generator is `turnload.c`, given with `--generator` and compiled here: it speaks to any TURN server. Servers and
generator share CPU 0; the generator sends a window and sleeps, so that the server always meets a full backlog (the
most repeatable way to compare costs). Needs root (SCHED_FIFO), Debian's coturn, and libssl-dev. For latency the
generator has CPU 1 for itself. With `--forwarder fwd.c` (liburing-dev) the bare UDP forwarder is measured too: it does
what any relay has to do, and nothing else.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PEERLINE = str(Path(sys.executable).parent / "peerline")
OURS, COTURN, OURS_TLS, COTURN_TLS = 24_001, 24_002, 24_003, 24_004
FORWARDER, FORWARDED = 24_005, 24_100
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
    "over TCP, 1000 bytes, 100 flows": (
        ["--transport", "tcp", "--clients", "100", "--inflight", "128", "--size", "1000"], 1.3,
    ),
    "over TLS, 1000 bytes, 100 flows": (
        ["--transport", "tls", "--clients", "100", "--inflight", "128", "--size", "1000"], 1.3,
    ),
    "STUN Binding": (["--mode", "stun", "--clients", "100", "--inflight", "128"], 1.7),
    "Allocate cycle": (["--mode", "alloc", "--clients", "8"], 3.0),
}  # fmt: skip
FORWARDED_CASE = "ChannelData, 100 flows, one packet each"
PACED = ["--clients", "100", "--rate", "50000", "--spin", "--size", "100"]
SAME = ["--pin", "0", "--slot", "200", "--fifo"]


@dataclass(frozen=True)
class Server:
    name: str
    port: int
    tls_port: int
    pid: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generator", type=Path, required=True, help="turnload.c")
    parser.add_argument("--forwarder", type=Path, help="fwd.c")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    generator = build(arguments.generator, "-pthread", "-DWITH_TLS", libraries=["-lssl", "-lcrypto"])
    results: dict[str, Any] = {}
    with servers() as both:
        for case, (options, goal) in CASES.items():
            costs: dict[str, list[float]] = {server.name: [] for server in both}
            kernel: list[float] = []
            for _ in range(arguments.runs):
                for server in both:
                    told = run(generator, server, [*SAME, *options])
                    costs[server.name].append(told["srv_ns_per_pkt"])
                    kernel += [told["srv_sys_frac"]] if server is both[0] else []
            ours, theirs = (statistics.median(costs[server.name]) for server in both)
            ratios = [their / our for our, their in zip(costs["ours"], costs["coturn"], strict=True)]
            results[case] = {
                "ours_ns": ours, "coturn_ns": theirs, "ratio": statistics.median(ratios), "ratios": ratios,
                "goal": goal, "kernel_share": statistics.median(kernel),
            }  # fmt: skip
            print(f"  {case}: {ours:.0f} ns, coturn {theirs:.0f} ns", file=sys.stderr, flush=True)
        if arguments.forwarder:
            floor = forward(generator, build(arguments.forwarder, libraries=["-luring"]), arguments.runs)
            of_ours = results[FORWARDED_CASE]["ours_ns"] / floor
            results["the bare forwarder, 100 flows"] = {"floor_ns": floor, "ours_to_floor": of_ours}
        memory = {s.name: run(generator, s, ["--clients", "2000", "--hold", "2"]) for s in both}
        late: dict[str, list[float]] = {server.name: [] for server in both}
        for _ in range(2 * arguments.runs + 1):
            for server in both:
                told = run(generator, server, PACED, cpu=1)
                late[server.name].append(told["p99_us"])
    results["memory per allocation, KB"] = {name: told["rss_bytes_per_client"] / 1024 for name, told in memory.items()}
    results["p99 at 50,000 packets/s, µs"] = {name: statistics.median(runs) for name, runs in late.items()}
    print(json.dumps(results, indent=2) if arguments.json else table(results))


def build(source: Path, *options: str, libraries: list[str]) -> Path:
    """A C program, compiled into the cache."""
    target = Path(".cache") / source.stem
    target.parent.mkdir(exist_ok=True)
    subprocess.run(["gcc", "-O2", *options, "-o", target, source, *libraries], check=True)
    return target.resolve()


def forward(generator: Path, forwarder: Path, runs: int) -> float:
    """What a packet costs that is only sent on, in batches (recvmmsg, sendmmsg), its channel looked up."""
    command = ["--mode", "mmsg", "--chan", "-n", "100", "--port", str(FORWARDER), "--peer-port", str(FORWARDED)]
    with subprocess.Popen(["taskset", "-c", "0", str(forwarder), *command], stdout=subprocess.DEVNULL) as process:
        time.sleep(0.5)
        server = Server("forwarder", FORWARDER, 0, process.pid)
        options = [*CASES[FORWARDED_CASE][0], "--mode", "raw", "--raw-chan", "--peer-port", str(FORWARDED)]
        costs: list[float] = [run(generator, server, [*SAME, *options])["srv_ns_per_pkt"] for _ in range(runs)]
        process.terminate()
    return statistics.median(costs)


def certificate(folder: Path) -> tuple[str, str]:
    """A certificate and its key, for both."""
    chain, key = folder / "chain.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-keyout", str(key), "-out", str(chain), "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run(command, check=True, capture_output=True)
    return str(chain), str(key)


@contextlib.contextmanager
def servers() -> Iterator[tuple[Server, Server]]:
    """Both, each pinned to CPU 0."""
    first, last = map(str, RELAY_PORTS)
    ours = ["turn", "--turn-port", str(OURS), "--user", "user:pass", "--allow-peer", "127.0.0.0/8"]
    ours += ["--relay-ports", f"{first}-{last}", "--shards", "1", "--no-limits", "--drain-s", "0"]
    ours += ["--turn-tls-port", str(OURS_TLS)]
    coturn = ["-n", "-L", "127.0.0.1", "-E", "127.0.0.1", "-p", str(COTURN), "-a", "-u", "user:pass", "-r", "bench"]
    coturn += ["--allow-loopback-peers", "--no-dtls", "--no-cli", "--log-file=/dev/null"]
    coturn += ["--tls-listening-port", str(COTURN_TLS)]
    coturn += ["--min-port", first, "--max-port", last]
    with contextlib.ExitStack() as stack:
        chain, key = certificate(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        started = []
        for name, port, tls_port, command in (
            ("ours", OURS, OURS_TLS, [PEERLINE, *ours, "--turn-cert", chain, "--turn-key", key]),
            ("coturn", COTURN, COTURN_TLS, ["turnserver", *coturn, "--cert", chain, "--pkey", key]),
        ):
            process = subprocess.Popen(
                ["taskset", "-c", "0", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
            started.append(Server(name, port, tls_port, process.pid))
        time.sleep(2)  # coturn does not say when it is ready
        yield started[0], started[1]


def run(generator: Path, server: Server, options: list[str], *, cpu: int = 0) -> dict[str, Any]:
    """One measurement of a second."""
    port = server.tls_port if "tls" in options else server.port
    command = [str(generator), "--port", str(port), "--user", "user", "--password", "pass", "--json"]
    command += ["--server-pid", str(server.pid), "--duration", "1", *options]
    done = subprocess.run(
        ["taskset", "-c", str(cpu), *command], capture_output=True, text=True, check=True, timeout=120
    )
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


def table(results: dict[str, Any]) -> str:
    """For people."""
    lines = [f"{'CPU ns per packet':<42}{'ours':>8}{'coturn':>9}{'ratio':>8}{'goal':>7}{'in the kernel':>15}"]
    for case, row in results.items():
        if "ratio" in row:
            figures = f"{row['ours_ns']:>8.0f}{row['coturn_ns']:>9.0f}{row['ratio']:>8.2f}{row['goal']:>7.1f}"
            figures += f"{row['kernel_share']:>14.0%}"
        elif "floor_ns" in row:
            figures = f"{row['floor_ns']:>8.0f}   ours costs {row['ours_to_floor']:.2f} times that"
        else:
            figures = f"{row['ours']:>8.1f}{row['coturn']:>9.1f}"
        lines.append(f"{case:<42}{figures}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
