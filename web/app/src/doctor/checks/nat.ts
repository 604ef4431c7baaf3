// What does the NAT between us and the world do? One socket asks several STUN servers: do they see the same port?

import { type Check, ok, unknown, words } from "../check";
import { gather } from "../gather";
import { ANSWER_MS } from "./stun";

/** The part of a candidate that counts here. */
type Seen = Pick<RTCIceCandidate, "type" | "address" | "port" | "relatedPort" | "relatedAddress">;

export const nat: Check = {
  name: "nat",
  timeoutMs: 15_000,
  async examine(patient, say, signal) {
    const servers = patient.urls.filter(({ url }) => url.startsWith("stun:"));
    if (servers.length === 0) return unknown(words("doctor.stun.none"));
    const found = await gather(patient.newConnection, {
      servers: servers.map(({ server }) => server),
      withinMs: ANSWER_MS,
      signal,
    });
    const mapped = found.candidates.filter(({ type }) => type === "srflx");
    for (const { address, port, relatedPort } of mapped) {
      const seen = { address: `${address} : ${port}` };
      say(
        relatedPort
          ? words("doctor.nat.mapped", { local: relatedPort, ...seen })
          : words("doctor.nat.mappedHidden", seen),
      );
    }
    if (mapped.length === 0) {
      if (found.errors.length > 0 || !found.isComplete) return unknown(words("doctor.nat.noAnswer"));
      patient.facts.nat = "none";
      return ok(words("doctor.nat.none"));
    }
    if (isSymmetric(mapped)) {
      patient.facts.nat = "symmetric";
      return ok(words("doctor.nat.symmetric"));
    }
    // Where one of them is silent, the others may be too few to compare.
    if (servers.length === 1 || !found.isComplete) {
      patient.facts.nat = "unknown";
      return unknown(words("doctor.nat.one"));
    }
    patient.facts.nat = "cone";
    return ok(words("doctor.nat.cone", { count: servers.length }));
  },
};

/** Whether one local port was seen as several public ones. */
export function isSymmetric(mapped: readonly Seen[]): boolean {
  const ports = new Map<string, Set<string>>();
  for (const { relatedAddress, relatedPort, address, port } of mapped) {
    // IPv6 is rarely translated. A browser that hides its local address (0.0.0.0, port 0) uses one socket alone.
    if (address?.includes(":")) continue;
    const local = `${relatedAddress} ${relatedPort}`;
    ports.set(local, (ports.get(local) ?? new Set()).add(`${address} ${port}`));
  }
  return [...ports.values()].some((seen) => seen.size > 1);
}
