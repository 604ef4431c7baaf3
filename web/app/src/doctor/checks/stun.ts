// Do the STUN servers answer (RFC 8489)? A browser shows it by a server-reflexive candidate, or by an error if not.

import { type Check, failed, ok, unknown, words } from "../check";
import { gather } from "../gather";
import { portOf } from "../ice-url";

/** A browser asks again and again for this long and longer. */
export const ANSWER_MS = 6000;

export const stun: Check = {
  name: "stun",
  timeoutMs: 15_000,
  async examine(patient, say, signal) {
    const asked = patient.urls.filter(({ url }) => url.startsWith("stun"));
    if (asked.length === 0) return unknown(words("doctor.stun.none"));
    const silent: string[] = [];
    const results = await Promise.all(
      asked.map(async ({ url, server }) => ({
        url,
        found: await gather(patient.newConnection, {
          servers: [server],
          until: "srflx",
          withinMs: ANSWER_MS,
          signal,
        }),
      })),
    );
    for (const { url, found } of results) {
      const mapped = found.candidates.find(({ type }) => type === "srflx");
      if (mapped?.address) {
        patient.facts.mapped.push({
          address: mapped.address,
          port: mapped.port ?? 0,
          isTranslated: isShown(mapped.relatedAddress) && mapped.relatedAddress !== mapped.address,
        });
        say(words("doctor.stun.seen", { addressUrl: url, address: `${mapped.address} : ${mapped.port}` }));
      } else if (found.errors.length > 0 || !found.isComplete) {
        silent.push(url);
        for (const { code, text } of found.errors.slice(0, 3)) {
          say(words("doctor.ice.log", { addressUrl: url, code, text }));
        }
        if (!found.isComplete) say(words("doctor.stun.noAnswer", { addressUrl: url }));
      } else {
        // Our own address is what the server saw: the browser then finds nothing worth a candidate.
        say(words("doctor.stun.same", { addressUrl: url }));
      }
    }
    if (silent.length === 0) return ok(words("doctor.stun.ok", { count: asked.length }));
    patient.facts.isStunSilent = silent.length === asked.length;
    return failed(
      words("doctor.stun.silent", { count: silent.length, all: asked.length }),
      words("doctor.fix.udpPort", { port: portOf(silent[0]!) }),
    );
  },
};

/** Browsers hide the local address from pages that may not use the camera. */
function isShown(address: string | null): boolean {
  return !!address && address !== "0.0.0.0" && address !== "::";
}
