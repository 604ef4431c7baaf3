// Does signaling work over plain HTTP, for networks where WebSocket is blocked (docs/protocol.md, section 2.2)?

import { type Check, failed, Failure, ok, type Outcome, warning, words } from "../check";
import { random } from "../identity";
import { readWelcome } from "../welcome";

/** A stream that shows nothing for so long sits behind a proxy that holds it back. */
const FIRST_EVENT_MS = 5000;

export const http: Check = {
  name: "http",
  timeoutMs: 15_000,
  async examine(patient, say, signal) {
    const asked = Date.now();
    const began = performance.now();
    const answer = await request(new URL("signal/sessions", patient.base), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(patient.hello(random(16))),
      signal,
    });
    const welcome = readWelcome(await answer.text());
    const ms = performance.now() - began;
    patient.welcomed(welcome, asked);
    patient.facts.roundTrips.push({ what: "HTTP", ms });
    say(words("doctor.http.opened", { ms: ms.toFixed(1) }));
    const session = new URL(`signal/sessions/${encodeURIComponent(welcome.sid)}`, patient.base);
    const headers = { Authorization: `Bearer ${welcome.key}` };
    try {
      return await receive(session.href, headers, ms, say);
    } finally {
      void fetch(session, { method: "DELETE", headers, keepalive: true }).catch(() => undefined);
    }
  },
};

async function receive(
  session: string,
  headers: Record<string, string>,
  ms: number,
  say: Parameters<Check["examine"]>[1],
): Promise<Outcome> {
  if (await streams(`${session}/events?rx=0`, headers)) {
    say(words("doctor.http.flows"));
    return ok(words("doctor.http.ok", { ms: ms.toFixed(1) }));
  }
  say(words("doctor.http.held"));
  const poll = await request(`${session}/poll?rx=0&wait_s=0`, { headers });
  if (!poll.ok) return failed(words("doctor.http.nothing"), words("doctor.fix.forward"));
  return warning(words("doctor.http.polls"), words("doctor.fix.buffering"));
}

/** Whether the event stream shows its first heartbeat in time. */
async function streams(url: string, headers: Record<string, string>): Promise<boolean> {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), FIRST_EVENT_MS);
  try {
    const answer = await fetch(url, { headers, signal: patience.signal });
    const first = await answer.body?.getReader().read();
    return answer.ok && new TextDecoder().decode(first?.value).startsWith(":hb");
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
    patience.abort();
  }
}

async function request(url: string | URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, cache: "no-store" });
  } catch {
    throw new Failure(failed(words("doctor.http.unreachable"), words("doctor.fix.serve")));
  }
}
