// Does the browser trust this page enough to give it camera and microphone?

import { type Check, failed, ok, words } from "../check";

export const secure: Check = {
  name: "secure",
  timeoutMs: 1000,
  async examine(patient) {
    if (globalThis.isSecureContext) {
      return ok(
        words(patient.base.protocol === "https:" ? "doctor.secure.https" : "doctor.secure.localhost"),
      );
    }
    return failed(words("doctor.secure.http"), words("doctor.fix.lan"));
  },
};
