"""Our peer connection against aiortc's: same machine, same run, turn by turn, both on uvloop.

    python benchmarks/bench_peer.py [--runs 3] [--seconds 4] [--only bulk,ping] [--json]

Data channels between two processes (16 KiB and 100-byte messages one way, 64 bytes there and back), set-up of pairs in
one process, what an idle pair keeps, and what a STUN server costs that never answers. Quoted are medians; a ratio is
ours to aiortc's, run by run. CPU is that of both ends together.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

END = Path(__file__).parent / "load" / "peer.py"
CASES: dict[str, list[str]] = {
    "16 KiB messages": ["bulk", "--size", "16384"],
    "100-byte messages": ["bulk", "--size", "100", "--high", "65536"],
    "ping-pong": ["ping", "--size", "64"],
    "set-up": ["setup"],
    "idle": ["idle"],
    "dead STUN server": ["dead-stun"],
}
Run = dict[str, float]


def measure(implementation: str, case: list[str], seconds: float) -> Run:
    """One fresh near process, which starts the far one."""
    command = [sys.executable, str(END), *case, "--impl", implementation, "--seconds", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    result: Run = json.loads(done.stdout.splitlines()[-1])
    return result


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--runs", type=int, default=3)
    p.add_argument("--seconds", type=float, default=4)
    p.add_argument("--only", default="", help="cases by their second word, with commas: bulk,ping,setup,idle,dead-stun")
    p.add_argument("--json", action="store_true")
    options = p.parse_args()
    chosen = {name: case for name, case in CASES.items() if not options.only or case[0] in options.only.split(",")}
    table: dict[str, dict[str, dict[str, float]]] = {}
    for name, case in chosen.items():
        runs = [[measure(who, case, options.seconds) for who in ("peerline", "aiortc")] for _ in range(options.runs)]
        table[name] = {}
        for figure in runs[0][0]:
            ours, theirs = ([run[side][figure] for run in runs] for side in (0, 1))
            ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
            row = {"peerline": statistics.median(ours), "aiortc": statistics.median(theirs), "ratio": ratio}
            table[name][figure] = row
            if not options.json:
                values = f"{row['peerline']:12.4g}  aiortc {row['aiortc']:12.4g}  ratio {ratio:8.3f}"
                print(f"{name:20} {figure:24} peerline {values}", flush=True)
    if options.json:
        print(json.dumps({"aiortc": version("aiortc"), "runs": options.runs, "cases": table}))


if __name__ == "__main__":
    main()
