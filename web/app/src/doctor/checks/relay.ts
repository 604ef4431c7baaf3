// Does the relay give us an address, over UDP, TCP or TLS (RFC 8656)? The browser says so with a relay candidate.

import { type Check, failed, ok, unknown, warning, words } from "../check";
import { gather } from "../gather";
import { explain } from "../ice-error";
import type { Transport } from "../ice-url";

const NAMES = { udp: "relayUdp", tcp: "relayTcp", tls: "relayTls" } as const;

export const relay = (transport: Transport): Check => ({
  name: NAMES[transport],
  timeoutMs: 15_000,
  async examine(patient, say, signal) {
    const server = patient.relay(transport);
    if (!server) {
      if (patient.hasRelay || transport !== "udp") return unknown(words("doctor.relay.notOffered"));
      if (patient.clockAheadMs === null) return unknown(words("doctor.relay.notSignedIn"));
      return patient.isLocal
        ? warning(words("doctor.relay.localhost"), words("doctor.fix.loopback"))
        : warning(words("doctor.relay.none"), words("doctor.fix.turn"));
    }
    const url = String(server.urls);
    say(words("doctor.relay.asking", { addressUrl: url }));
    const found = await gather(patient.newConnection, {
      servers: [server],
      policy: "relay",
      until: "relay",
      withinMs: 12_000,
      signal,
    });
    const candidate = found.candidates.find(({ type }) => type === "relay");
    if (candidate?.address) {
      patient.facts.relayed[transport] = candidate.address;
      say(words("doctor.relay.given", { address: `${candidate.address} : ${candidate.port}` }));
      return ok(words("doctor.relay.ok", { ms: (found.firstAfterMs ?? 0).toFixed(0) }));
    }
    for (const { code, text } of found.errors) say(words("doctor.ice.log", { addressUrl: url, code, text }));
    // 701 comes for every network card that led nowhere; another code is what the server itself said.
    const said = found.errors.find((error) => error.code !== 701)?.code ?? found.errors[0]?.code;
    // A browser that goes on asking has had no answer.
    const code = said ?? (found.isComplete ? undefined : 701);
    return code === undefined ? failed(words("doctor.relay.nothing")) : explain(code, url, transport);
  },
});
