// What the codes of icecandidateerror mean: those of STUN and TURN (RFC 8656 §19), and 701 for no answer at all.

import { failed, type Outcome, warning, words } from "./check";
import { portOf, type Transport } from "./ice-url";

/** What went wrong, and the line that fixes it where there is one. */
export function explain(code: number, url: string, transport: Transport): Outcome {
  const port = portOf(url);
  switch (code) {
    case 401:
      return failed(words("doctor.ice.401"), words("doctor.fix.credentials"));
    case 403:
      return failed(words("doctor.ice.403"), words("doctor.fix.policy"));
    case 486:
      return failed(words("doctor.ice.486"), words("doctor.fix.wait"));
    case 508:
      return failed(words("doctor.ice.508"), words("doctor.fix.relayPorts"));
    case 701:
      // A page is never told that a certificate was not accepted, and nobody is asked to accept it.
      if (transport === "tls")
        return warning(words("doctor.ice.701tls"), words("doctor.fix.turnCert", { port }));
      return failed(
        words("doctor.ice.701"),
        words(transport === "udp" ? "doctor.fix.udpPort" : "doctor.fix.tcpPort", { port }),
      );
    default:
      return failed(words("doctor.ice.other", { code }));
  }
}
