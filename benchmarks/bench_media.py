"""Media against aiortc's: same machine, same run, turn by turn, both on uvloop, both ends in one process.

    python benchmarks/bench_media.py [--runs 3] [--seconds 5] [--only encoded,ear,idle] [--json]

What a packet of sound costs that is encoded already, how long a sound takes from mouth to ear, what an idle pair with
audio and video keeps. Quoted are medians; a ratio is ours to aiortc's, run by run.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

END = Path(__file__).parent / "load" / "frames.py"
CASES = {
    "encoded": "packets of sound, encoded already",
    "ear": "from mouth to ear",
    "idle": "an idle pair with audio and video",
}


def measure(implementation: str, case: str, seconds: float) -> dict[str, float]:
    """One fresh process."""
    command = [sys.executable, str(END), case, "--impl", implementation, "--seconds", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--runs", type=int, default=3)
    p.add_argument("--seconds", type=float, default=5)
    p.add_argument("--only", default="", help="cases, with commas")
    p.add_argument("--json", action="store_true")
    options = p.parse_args()
    table: dict[str, dict[str, dict[str, float]]] = {}
    for case, name in CASES.items():
        if options.only and case not in options.only.split(","):
            continue
        runs = [[measure(who, case, options.seconds) for who in ("peerline", "aiortc")] for _ in range(options.runs)]
        table[case] = {}
        if not options.json:
            print(name)
        for figure in runs[0][0]:
            ours, theirs = ([run[side].get(figure, 0) for run in runs] for side in (0, 1))
            ratios = [a / b for a, b in zip(ours, theirs, strict=True) if b]
            row = {"peerline": statistics.median(ours), "aiortc": statistics.median(theirs)}
            if ratios:
                row["ratio"] = statistics.median(ratios)
            table[case][figure] = row
            if not options.json:
                ratio = f"  ratio {row['ratio']:8.3f}" if ratios else ""
                print(f"  {figure:22} {row['peerline']:12.4g}  aiortc {row['aiortc']:12.4g}{ratio}")
    if options.json:
        print(json.dumps(table))


if __name__ == "__main__":
    main()
