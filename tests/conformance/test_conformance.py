"""The machinery of `make conformance`: what it compares, what it writes, and when it refuses to look like a pass."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import peerline
from conformance import peerline_w3c
from conformance.page import BEGIN, END, generated, put_into, table
from conformance.results import Reason, Run, explain, matches, read_reasons, shortfalls
from conformance.run import PAGE, what_lacks
from peerline.errors import NotAllowedError

HERE = Path(__file__).parent


def run_of(name: str, **tests: dict[str, str]) -> Run:
    return Run(name, {f"/webrtc/{test.replace('_', '-')}.html": subtests for test, subtests in tests.items()})


OURS = run_of("ours", RTCError={"a": "PASS", "b": "FAIL", "c": "PASS"}, simulcast={"d": "TIMEOUT"})
THEIRS = run_of("theirs", RTCError={"a": "PASS", "b": "PASS", "c": "FAIL"}, simulcast={"d": "PASS"}, gone={"e": "PASS"})


def test_what_chromium_passes_and_we_do_not_is_found_even_if_it_never_ran() -> None:
    found = [(one.test, one.subtest, one.status, one.is_no_media) for one in shortfalls(OURS, THEIRS)]
    assert found == [
        ("/webrtc/RTCError.html", "b", "FAIL", True),
        ("/webrtc/gone.html", "e", "NOTRUN", False),
        ("/webrtc/simulcast.html", "d", "TIMEOUT", False),
    ]


def test_the_first_reason_that_matches_explains() -> None:
    reasons = [Reason("webrtc/simul*", "needs media"), Reason("webrtc/*", "else", subtest="e"), Reason("*", "no", "x")]
    whys = [reason and reason.why for _, reason in explain(shortfalls(OURS, THEIRS), reasons)]
    assert whys == [None, "else", "needs media"]


def test_the_table_sums_by_folder() -> None:
    lines = table(OURS, THEIRS, {"webrtc": 1})
    assert "| webrtc | 4 | 2 | 4 | 1 |" in lines
    assert "| | | 50.0 % | 100.0 % | 25.0 % |" in lines


def test_the_page_keeps_what_people_wrote() -> None:
    part = generated(OURS, THEIRS, {"webrtc": 1}, explain(shortfalls(OURS, THEIRS), []))
    page = put_into(f"before\n{BEGIN}\nOUTDATED\n{END}\nafter\n", part)
    assert page.startswith("before\n")
    assert page.endswith("after\n")
    assert "OUTDATED" not in page
    assert "- b: not explained" in page
    with pytest.raises(ValueError, match="marks"):
        put_into("no marks", part)


def test_the_real_page_has_its_marks_and_the_real_reasons_can_be_read() -> None:
    put_into(PAGE.read_text(), "")
    assert all(reason.why.endswith(".") for reason in read_reasons(HERE / "reasons.toml"))


def test_results_are_read_as_the_runner_writes_them(tmp_path: Path) -> None:
    subtests = [{"name": "a", "status": "FAIL", "message": "no"}, {"name": "b", "status": "PASS", "message": None}]
    results = [{"test": "/webrtc/x.html", "subtests": subtests}, {"test": "/webrtc/left-out.html", "subtests": []}]
    path = tmp_path / "results.json"
    path.write_text(json.dumps({"impl": "x", "results": results}))
    run = Run.read(path, lambda test: "left-out" not in test)
    assert (run.total(), run.passed("/webrtc/x.html")) == ((1, 2), {"b"})
    assert run.messages["/webrtc/x.html", "a"] == "no"


def test_variants_of_a_test_match_the_pattern_of_their_file() -> None:
    assert matches("/webrtc/RTCDataChannel-send.html?x=1", ["webrtc/RTCDataChannel-*"])
    assert not matches("/webrtc-stats/supported-stats.https.html", ["webrtc/*"])


def test_without_the_tests_it_says_what_is_missing_and_fails(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    command = [sys.executable, "-m", "conformance.run", "--root", "", "--runner", str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Nothing was tested: WPT_ROOT not given" in done.stderr
    assert "no Web Platform Tests" in what_lacks(str(tmp_path), str(tmp_path))


def test_the_adapter_has_every_name_of_peerline_and_the_devices_of_a_test() -> None:
    assert all(hasattr(peerline_w3c, name) for name in peerline.__all__)
    assert peerline_w3c.noise_track("video").kind == "video"


@pytest.mark.parametrize(("state", "is_open"), [("denied", False), ("granted", True)])
async def test_a_test_may_deny_the_camera(state: str, is_open: bool) -> None:
    peerline_w3c.set_permission({"descriptor": {"name": "camera"}, "state": state})
    outcome: Any
    try:
        outcome = await peerline_w3c.navigator.mediaDevices.getUserMedia(video=True)
    except NotAllowedError as error:
        outcome = error
    finally:
        peerline_w3c.denied.clear()
    assert isinstance(outcome, peerline.MediaStream) is is_open
