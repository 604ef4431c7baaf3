"""Do the clocks agree? Tokens, TURN credentials and certificates are good for a time that both must know."""

from __future__ import annotations

from peerline.doctor.check import Check, Outcome, failed, ok, unknown, warning
from peerline.doctor.patient import Patient

WARN_S = 5.0
FAIL_S = 300.0
_FIX = "timedatectl set-ntp true"


class Clock(Check):
    """Compares the time in the server's `welcome` with ours."""

    name = "clock"
    title = "Clock"

    async def examine(self, patient: Patient) -> Outcome:
        ahead_s = patient.clock_ahead_s
        if ahead_s is None:
            return unknown("the server did not tell its time, since nobody could sign in")
        self.say(f"the server's clock is {ahead_s:+.3f} s off ours")
        if abs(ahead_s) < WARN_S:
            return ok(f"{abs(ahead_s) * 1000:.0f} ms apart")
        words = f"the server's clock is {abs(ahead_s):.0f} s {'ahead of' if ahead_s > 0 else 'behind'} ours"
        return warning(words, _FIX) if abs(ahead_s) < FAIL_S else failed(words, _FIX)
