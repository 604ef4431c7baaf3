"""`make conformance`: runs the Web Platform Tests, says how they went beside Chromium, writes docs/conformance.md."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from conformance.page import generated, put_into, read_aiortc, table
from conformance.results import Run, explain, read_reasons, shortfalls

HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "docs" / "conformance.md"
WPT_COMMIT = "0a2ab583"

MISSING = """Nothing was tested: {what}.

  make conformance WPT_ROOT=DIRECTORY WPT_RUNNER=DIRECTORY [JOBS=2] [ONLY='RTCDataChannel-*']

WPT_ROOT is a checkout of https://github.com/web-platform-tests/wpt, commit {commit} (2025-10-28) for the figures of
docs/conformance.md; these folders are enough: webrtc webrtc-* mediacapture-* mst-content-hint resources interfaces
common. WPT_RUNNER is the folder of the runner (run_python.py, results-chromium.json). It needs Node 20.
docs/conformance.md has the commands."""


def main() -> int:
    """0: everything that is missing is explained; 1: it is not; 2: nothing was tested."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", default="")
    parser.add_argument("--runner", default="")
    parser.add_argument("--jobs", default="2")
    parser.add_argument("--only", default="")
    parser.add_argument("--out", type=Path, help="keep the result file here")
    arguments = parser.parse_args()
    lack = what_lacks(arguments.root, arguments.runner)
    if lack:
        print(MISSING.format(what=lack, commit=WPT_COMMIT), file=sys.stderr)
        return 2
    root, runner = Path(arguments.root), Path(arguments.runner)
    say_commit(root)
    with tempfile.TemporaryDirectory() as folder:
        out = arguments.out or Path(folder) / "results.json"
        command = [sys.executable, str(runner / "run_python.py"), "--impl", "peerline_w3c", "--root", str(root)]
        command += [
            "--jobs",
            arguments.jobs,
            "--out",
            str(out),
            *(["--only", arguments.only] if arguments.only else []),
        ]
        environment = {**os.environ, "PYTHONPATH": str(HERE), "WPT_ROOT": str(root)}
        subprocess.run(command, check=True, env=environment, cwd=folder)
        return report(out, runner, is_whole=not arguments.only)


def what_lacks(root: str, runner: str) -> str:
    """What is not there, in words; "" if all is."""
    if not root or not runner:
        return (
            " and ".join(name for name, value in (("WPT_ROOT", root), ("WPT_RUNNER", runner)) if not value)
            + " not given"
        )
    if not (Path(root) / "resources" / "testharness.js").is_file():
        return f"no Web Platform Tests in WPT_ROOT={root}"
    for name in ("run_python.py", "results-chromium.json"):
        if not (Path(runner) / name).is_file():
            return f"no {name} in WPT_RUNNER={runner}"
    return ""


def say_commit(root: Path) -> None:
    """Which commit it is, if the checkout knows."""
    if (root / ".git").exists():
        asked = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=False)
        if not asked.stdout.startswith(WPT_COMMIT):
            print(f"The checkout is {asked.stdout[:8] or 'unknown'}, the figures to compare with are of {WPT_COMMIT}.")


def report(out: Path, runner: Path, *, is_whole: bool) -> int:
    """Compare, print, write the page if everything ran."""
    ours = Run.read(out, lambda test: True)
    reference = Run.read(runner / "results-chromium.json", lambda test: test in ours.tests)
    aiortc = read_aiortc(HERE / "aiortc.json")
    missing = explain(shortfalls(ours, reference), read_reasons(HERE / "reasons.toml"))
    print()
    for one, reason in missing:
        why = reason.why if reason else f"NOT EXPLAINED: {one.status} {one.message[:160]}"
        print(f"{'no media' if one.is_no_media else 'media   '} {one.test} | {one.subtest} | {why}")
    print()
    print("\n".join(table(ours, reference, aiortc if is_whole else {})))
    if is_whole:
        PAGE.write_text(put_into(PAGE.read_text(), generated(ours, reference, aiortc, missing)))
        print(f"\nWritten: {PAGE}")
    unexplained = [one for one, reason in missing if reason is None and one.is_no_media]
    print(f"\n{len(missing)} subtests that Chromium passes are missing.")
    print(f"Of those that need no media, {len(unexplained)} have no reason.")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
