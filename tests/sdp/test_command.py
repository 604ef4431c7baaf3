"""`peerline sdp`, run as people run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from peerline.sdp import parse
from sdp.captures import CAPTURES, FOLDER, SMALL

OFFER = FOLDER / "chromium" / "audio-video-data-offer.sdp"


def run(*words: str | Path, given: bytes = b"", lang: str = "C.UTF-8") -> subprocess.CompletedProcess[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LC_")}
    return subprocess.run(
        [sys.executable, "-m", "peerline", "sdp", *words],
        input=given, capture_output=True, timeout=60, env={**environment, "LANG": lang},
    )  # fmt: skip


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.sdp"
    path.write_bytes(SMALL.encode())
    return path


def test_explain_says_of_every_line_what_it_means_and_where_it_is_written() -> None:
    done = run("explain", OFFER)
    text = done.stdout.decode()
    assert (done.returncode, done.stderr) == (0, b"")
    for line in OFFER.read_text().splitlines():
        assert f"{line}\n    " in text
    assert "The fingerprint (sha-256) of the certificate" in text
    assert "(RFC 8866 §5.1)" in text
    assert all(len(row) <= 100 for row in text.splitlines() if row.startswith("    "))


def test_explain_speaks_the_language_of_the_locale_or_the_one_asked_for() -> None:
    assert "证书的指纹" in run("explain", OFFER, lang="zh_CN.UTF-8").stdout.decode()
    assert "证书的指纹" in run("explain", "--lang", "zh", OFFER).stdout.decode()
    assert "fingerprint" in run("explain", "--lang", "en", OFFER, lang="zh_CN.UTF-8").stdout.decode()


def test_explain_as_json_has_a_row_for_each_line() -> None:
    rows = json.loads(run("explain", "--json", "-", given=SMALL.encode() + b"a=brand-new\r\n").stdout)
    assert [row["line"] for row in rows] == [*SMALL.split("\r\n")[:-1], "a=brand-new"]
    assert [row["n"] for row in rows] == list(range(1, len(rows) + 1))
    assert [row["row"] for row in rows if not row["known"]] == ["unknown-attribute"]
    assert rows[0]["rfc"] == "RFC 8866 §5.1"


def test_a_description_copied_out_of_a_console_as_json_will_do() -> None:
    copied = json.dumps({"type": "offer", "sdp": SMALL}).encode()
    assert run("explain", "-", given=copied).stdout == run("explain", "-", given=SMALL.encode()).stdout


def test_what_a_terminal_would_obey_is_not_sent_to_it() -> None:
    done = run("explain", "-", given=SMALL.encode() + b"a=tool:\x1b[2Jgone\r\n")
    assert b"\x1b" not in done.stdout
    assert "\N{REPLACEMENT CHARACTER}[2Jgone".encode() in done.stdout


def test_bandwidth_sets_limits_and_touches_nothing_else(small: Path) -> None:
    done = run("bandwidth", "--audio", "32", "--video", "500", small)
    assert done.returncode == 0
    assert done.stdout.decode() == SMALL.replace(
        "c=IN IP4 0.0.0.0\r\na=mid:0", "c=IN IP4 0.0.0.0\r\nb=AS:32\r\na=mid:0"
    ).replace("c=IN IP4 0.0.0.0\r\na=mid:1", "c=IN IP4 0.0.0.0\r\nb=AS:500\r\na=mid:1")


def test_bandwidth_knows_types_sessions_and_no_limit(small: Path) -> None:
    assert b"b=TIAS:500000\r\n" in run("bandwidth", "--video", "500", "--type", "TIAS", small).stdout
    assert b"s=-\r\nb=CT:900\r\nt=0 0\r\n" in run("bandwidth", "--session", "900", small).stdout
    limited = run("bandwidth", "--audio", "32", "--session", "900", small).stdout
    assert run("bandwidth", "--audio", "0", "--session", "0", "-", given=limited).stdout == SMALL.encode()


@pytest.mark.parametrize("path", CAPTURES[::7], ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_an_edit_of_a_real_description_is_read_again(path: Path) -> None:
    done = run("bandwidth", "--audio", "32", "--video", "500", path)
    for media in parse(done.stdout).media:
        assert [one.bps for one in media.bandwidths] == {"audio": [32_000], "video": [500_000]}.get(media.kind, [])


def test_direction_codecs_and_candidates_are_changed() -> None:
    media = parse(run("direction", "recvonly", "--kind", "video", OFFER).stdout).media
    assert [one.direction for one in media] == ["sendrecv", "recvonly", None]
    media = parse(run("codecs", "--prefer", "AV1,VP9", "--remove", "VP8", OFFER).stdout).media
    names = [codec.key for codec in media[1].codecs]
    assert names[:3] == ["av1", "rtx", "vp9"]
    assert "vp8" not in names
    media = parse(run("strip-candidates", OFFER).stdout).media
    assert all(one.candidates == () for one in media)
    assert run("strip-candidates", "--keep", "host", OFFER).stdout == OFFER.read_bytes()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("explain", "/nowhere.sdp"), 2, "No such file"),
        (("explain",), 2, "FILE"),
        (("bandwidth", "-"), 2, "no limit"),
        (("bandwidth", "--audio", "-1", "-"), 2, "--audio"),
        (("bandwidth", "--audio", "many", "-"), 2, "whole number"),
        (("codecs", "-"), 2, "no codec"),
        (("codecs", "--prefer", "VP10", str(OFFER)), 2, "There are"),
        (("direction", "sideways", "-"), 2, "sideways"),
    ],
)
def test_bad_usage_is_exit_code_2(words: tuple[str, ...], code: int, says: str) -> None:
    done = run(*words)
    assert done.returncode == code
    assert says in done.stderr.decode()
    assert done.stdout == b""


@pytest.mark.parametrize(
    "verb", [("explain",), ("bandwidth", "--audio", "32"), ("strip-candidates",)], ids=lambda verb: verb[0]
)
def test_a_file_that_is_no_sdp_is_exit_code_1_with_line_and_hint(verb: tuple[str, ...]) -> None:
    done = run(*verb, "-", given=SMALL.replace("opus/48000/2", "opus").encode())
    assert (done.returncode, done.stdout) == (1, b"")
    assert "line 8: the codec is not NAME/CLOCK-RATE (RFC 8866, section 6.6) [sdp]" in done.stderr.decode()
    assert "a=rtpmap:PAYLOAD-TYPE NAME/CLOCK-RATE" in done.stderr.decode()


def test_a_file_without_end_is_not_read_to_its_end() -> None:
    done = run("explain", "/dev/zero")
    assert done.returncode == 2
    assert "larger than" in done.stderr.decode()
