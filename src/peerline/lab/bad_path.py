"""A path over loopback that loses, delays and throttles, for two programs that talk UDP. It needs no root."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from peerline.lab.errors import LabError
from peerline.lab.link import Quality, ways

__all__ = ["BadPath", "Counts"]

LOOPBACK = "127.0.0.1"
# As high as a host candidate can be (RFC 8445, section 5.1.2.1): there is no other anyway.
_PRIORITY = 2_130_706_431


@dataclass(frozen=True, slots=True)
class Counts:
    """Packets so far."""

    forwarded: int
    lost: int
    """By the link's loss, in its full queue, or because nobody was known at the other end yet."""


class BadPath:
    """Two ports: what comes to one leaves from the other, for whoever spoke there last. Perfect until it is shaped.

        with BadPath() as path:
            path.shape(loss=0.05, delay_s=0.025)

    `ports[0]` is for the first side, `ports[1]` for the second; up is from the first side to the second. The same seed
    loses the same packets. Raises LabError where its process cannot be started or has died.
    """

    def __init__(self, *, address: str = LOOPBACK, seed: int = 1) -> None:
        self.address = address
        self.up = self.down = Quality()
        self._relay = subprocess.Popen(
            [sys.executable, "-m", "peerline.lab.udp_relay", address, str(seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        try:
            self.ports: tuple[int, int] = tuple(self._answer())
        except LabError:
            self.close()
            raise

    def shape(
        self,
        *,
        loss: float = 0.0,
        rate_bps: float | None = None,
        delay_s: float = 0.0,
        queue_s: float = 0.2,
        direction: str = "both",
    ) -> None:
        """How the path is from now on, up, down or both; see Quality. Without values it is perfect again."""
        quality = Quality(loss=loss, rate_bps=rate_bps, delay_s=delay_s, queue_s=queue_s)
        is_up, is_down = ways(direction)
        if is_up:
            self.up = quality
        if is_down:
            self.down = quality
        self._ask({"up": dataclasses.asdict(self.up), "down": dataclasses.asdict(self.down)})

    def counts(self, direction: str = "both") -> Counts:
        """What has passed and what has not, since the beginning."""
        counted = self._ask(None)
        chosen = [counted[name] for name, is_meant in zip(("up", "down"), ways(direction), strict=True) if is_meant]
        return Counts(sum(one["forwarded"] for one in chosen), sum(one["lost"] for one in chosen))

    def candidate(self, side: int) -> str:
        """What side 0 or 1 is told instead of the other's candidates: `{"candidate": path.candidate(0), …}`."""
        return f"candidate:1 1 udp {_PRIORITY} {self.address} {self.ports[side]} typ host"

    def close(self) -> None:
        """Nothing passes any more. Twice is fine."""
        self._relay.kill()
        self._relay.communicate()

    def __enter__(self) -> BadPath:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, told: Any) -> Any:
        if self._relay.poll() is not None:
            raise self._death()
        assert self._relay.stdin is not None
        try:
            self._relay.stdin.write(json.dumps(told).encode() + b"\n")
        except BrokenPipeError:
            pass  # then there is no answer either
        return self._answer()

    def _answer(self) -> Any:
        assert self._relay.stdout is not None
        line = self._relay.stdout.readline()
        if not line:
            raise self._death()
        return json.loads(line)

    def _death(self) -> LabError:
        return LabError(
            f"the bad path at {self.address} is not there",
            code="lab_path",
            hint="Its process has ended: closed, killed, or failed. What it failed of stands above.",
        )
