"""Does this machine give the server enough descriptors and socket buffers? Only where the server runs here."""

from __future__ import annotations

import resource
from pathlib import Path

from peerline.doctor.check import Check, Outcome, ok, unknown, warning
from peerline.doctor.listening_process import Descriptors, descriptors_of_listener
from peerline.doctor.patient import Patient

# Each connection and each allocation is a descriptor: 10,000 people, some of them relayed.
DESCRIPTORS = 16_384
# What the packet core asks for (crates/engine/src/udp.rs); the kernel gives it no more than this limit.
BUFFER_BYTES = 1 << 20
_BUFFERS = ("net.core.rmem_max", "net.core.wmem_max")


class Limits(Check):
    """Reads them; changes nothing."""

    name = "limits"
    title = "Descriptors and buffers"

    async def examine(self, patient: Patient) -> Outcome:
        if patient.server is None or not patient.is_local:
            return unknown("the server runs on another machine: run `peerline doctor` there, too")
        found = descriptors_of_listener(patient.server.port)
        if found is not None:
            self.say(f"the server has {found.used} descriptors open, of {found.limit}")
        else:
            _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            found = Descriptors(0, hard if hard != resource.RLIM_INFINITY else 1 << 30)
            self.say(
                f"the server's process cannot be looked at; processes started here may have {found.limit} descriptors"
            )
        buffers = {name: _sysctl(name) for name in _BUFFERS}
        for name, value in buffers.items():
            if value is not None:
                self.say(f"{name} = {value}")
        return judge(found, buffers)


def judge(descriptors: Descriptors, buffers: dict[str, int | None]) -> Outcome:
    """Are they enough?"""
    small = [name for name, value in buffers.items() if value is not None and value < BUFFER_BYTES]
    if descriptors.used * 5 > descriptors.limit * 4:
        return warning(
            f"{descriptors.used} of {descriptors.limit} descriptors are in use", f"ulimit -n {descriptors.limit * 4}"
        )
    if descriptors.limit < DESCRIPTORS:
        return warning(
            f"{descriptors.limit} descriptors: one for each connection and each relay",
            f"ulimit -Hn {DESCRIPTORS * 4}  (with systemd: LimitNOFILE={DESCRIPTORS * 4})",
        )
    if small:
        lines = " ".join(f"{name}={BUFFER_BYTES * 4}" for name in small)
        return warning(
            f"socket buffers are capped below {BUFFER_BYTES >> 20} MiB: bursts get lost", f"sysctl -w {lines}"
        )
    return ok(f"{descriptors.limit} descriptors, buffers of {BUFFER_BYTES >> 20} MiB and more")


def _sysctl(name: str) -> int | None:
    try:
        return int(Path("/proc/sys", *name.split(".")).read_text())
    except (OSError, ValueError):
        return None
