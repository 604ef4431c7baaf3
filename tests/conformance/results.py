"""Results of the runner, and what a comparison of two of them shows. Reads files, runs nothing."""

from __future__ import annotations

import fnmatch
import json
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

Name = str
Status = str

# The files that need no media: what Chromium passes there and Peerline does not needs a reason.
NO_MEDIA = (
    "webrtc/RTCDataChannel*",
    "webrtc/RTCConfiguration-*",
    "webrtc/RTCIceCandidate-*",
    "webrtc/RTCIceTransport*",
    "webrtc/RTCIceConnectionState-*",
    "webrtc/RTCCertificate*",
    "webrtc/RTCDtlsTransport*",
    "webrtc/RTCSctpTransport*",
    "webrtc/RTCError*",
    "webrtc/RTCPeerConnectionIce*",
    "webrtc/RTCPeerConnection-constructor*",
    "webrtc/RTCPeerConnection-generateCertificate*",
    "webrtc/RTCPeerConnection-createDataChannel*",
    "webrtc/RTCPeerConnection-ondatachannel*",
    "webrtc/RTCPeerConnection-createOffer*",
    "webrtc/RTCPeerConnection-createAnswer*",
    "webrtc/RTCPeerConnection-setLocalDescription*",
    "webrtc/RTCPeerConnection-setRemoteDescription*",
    "webrtc/RTCPeerConnection-description-attributes-timing*",
    "webrtc/RTCPeerConnection-SLD-SRD-timing*",
    "webrtc/RTCPeerConnection-onsignalingstatechange*",
    "webrtc/RTCPeerConnection-operations*",
    "webrtc/RTCPeerConnection-addIceCandidate*",
    "webrtc/RTCPeerConnection-addTcpIceCandidate*",
    "webrtc/RTCPeerConnection-candidate-in-sdp*",
    "webrtc/RTCPeerConnection-canTrickleIceCandidates*",
    "webrtc/RTCPeerConnection-connectionState*",
    "webrtc/RTCPeerConnection-iceConnectionState*",
    "webrtc/RTCPeerConnection-iceGatheringState*",
    "webrtc/RTCPeerConnection-onicecandidateerror*",
    "webrtc/RTCPeerConnection-onnegotiationneeded*",
    "webrtc/RTCPeerConnection-explicit-rollback*",
    "webrtc/RTCPeerConnection-transport-stats*",
    "webrtc/RollbackEvents*",
    "webrtc/getstats*",
    "webrtc/no-media-call*",
    "webrtc/toJSON*",
)


@dataclass
class Run:
    """What one implementation made of the tests: by test, by subtest."""

    name: str
    tests: dict[Name, dict[Name, Status]] = field(default_factory=dict)
    messages: dict[tuple[Name, Name], str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, is_scored: Callable[[Name], bool]) -> Run:
        """A result file of the runner, without the tests that do not count."""
        found: dict[str, Any] = json.loads(path.read_text())
        run = cls(str(found["impl"]))
        for result in found["results"]:
            if is_scored(result["test"]):
                run.tests[result["test"]] = {one["name"]: one["status"] for one in result["subtests"]}
                for one in result["subtests"]:
                    run.messages[result["test"], one["name"]] = one.get("message") or ""
        return run

    def passed(self, test: Name) -> set[Name]:
        """The subtests that pass."""
        return {name for name, status in self.tests.get(test, {}).items() if status == "PASS"}

    def total(self) -> tuple[int, int]:
        """How many pass, of how many."""
        return sum(len(self.passed(test)) for test in self.tests), sum(map(len, self.tests.values()))

    def by_folder(self) -> dict[str, tuple[int, int]]:
        """The same by the first folder of the path."""
        sums: dict[str, tuple[int, int]] = {}
        for test, subtests in self.tests.items():
            folder = test.split("/")[1]
            passed, all_of_them = sums.get(folder, (0, 0))
            sums[folder] = passed + len(self.passed(test)), all_of_them + len(subtests)
        return sums


class Shortfall(NamedTuple):
    """A subtest that the other passes and we do not."""

    test: Name
    subtest: Name
    status: Status
    message: str
    is_no_media: bool


def shortfalls(ours: Run, other: Run) -> list[Shortfall]:
    """All of them, in the order of the tests."""
    found = []
    for test in sorted(other.tests):
        for name in other.tests[test]:
            status = ours.tests.get(test, {}).get(name, "NOTRUN")
            if other.tests[test][name] == "PASS" and status != "PASS":
                message = ours.messages.get((test, name), "")
                found.append(Shortfall(test, name, status, message, matches(test, NO_MEDIA)))
    return found


def matches(test: Name, patterns: Iterable[str]) -> bool:
    """Whether the test's path (without its first slash and its query) is one of these."""
    path = test.lstrip("/").split("?")[0]
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)


@dataclass(frozen=True)
class Reason:
    """Why subtests are missing. Patterns as in a shell."""

    file: str
    why: str
    subtest: str = "*"

    def is_for(self, shortfall: Shortfall) -> bool:
        """Whether it explains this one."""
        return matches(shortfall.test, [self.file]) and fnmatch.fnmatchcase(shortfall.subtest, self.subtest)


def read_reasons(path: Path) -> list[Reason]:
    """`reasons.toml`: tables `[[reason]]` with `file`, `why` and maybe `subtest`. The first that matches counts."""
    found: Mapping[str, list[dict[str, str]]] = tomllib.loads(path.read_text())
    return [Reason(**one) for one in found.get("reason", [])]


def explain(missing: Iterable[Shortfall], reasons: Iterable[Reason]) -> list[tuple[Shortfall, Reason | None]]:
    """Each with its reason, if there is one."""
    known = list(reasons)
    return [(one, next((reason for reason in known if reason.is_for(one)), None)) for one in missing]
