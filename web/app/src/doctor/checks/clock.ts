// Do the clocks agree? Tokens, relay credentials and certificates are good for a time that both must know.

import { type Check, failed, ok, unknown, warning, words } from "../check";

const WARN_MS = 5000;
const FAIL_MS = 300_000;

export const clock: Check = {
  name: "clock",
  timeoutMs: 1000,
  async examine(patient) {
    const ahead = patient.clockAheadMs;
    if (ahead === null) return unknown(words("doctor.clock.unknown"));
    const apart = Math.abs(ahead);
    if (apart < WARN_MS) return ok(words("doctor.clock.ok", { ms: Math.round(apart) }));
    const told = words(ahead > 0 ? "doctor.clock.ahead" : "doctor.clock.behind", {
      seconds: Math.round(apart / 1000),
    });
    return apart < FAIL_MS
      ? warning(told, words("doctor.fix.clock"))
      : failed(told, words("doctor.fix.clock"));
  },
};
