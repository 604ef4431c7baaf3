// Which transport: WebSocket, else server-sent events, else long poll (docs/protocol.md, section 2.3).

import { storage } from "../identity.js";
import type { Hello } from "../protocol.js";
import type { ConnectOptions, TransportKind } from "../types.js";
import { type Opened, UnreachableError } from "./carriage.js";
import { openHttp } from "./http.js";
import { openWebSocket } from "./websocket.js";

export type Wish = NonNullable<ConnectOptions["transport"]>;

/** How long the winner is tried first: a laptop moves to another network, where WebSocket may work. */
const REMEMBERED_MS = 3600_000;

const open = (kind: TransportKind, base: URL, hello: Hello): Promise<Opened> =>
  kind === "websocket" ? openWebSocket(base, hello) : openHttp(kind, base, hello);

/** Open by the first of these transports that works. Throws PeerlineError if refused, else UnreachableError. */
export async function openFirst(kinds: TransportKind[], base: URL, hello: () => Hello): Promise<Opened> {
  let last: unknown;
  for (const kind of kinds) {
    try {
      const opened = await open(kind, base, hello());
      remember(base, kind);
      return opened;
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
      last = error;
    }
  }
  throw last;
}

/** What is tried, in order. Long poll by itself only where it won before: else server-sent events turn into it. */
export function order(wish: Wish, winner: TransportKind | null): TransportKind[] {
  if (wish === "websocket") return ["websocket"];
  const http: TransportKind = winner === "poll" ? "poll" : "sse";
  if (wish === "http") return [http];
  return winner === "sse" || winner === "poll" ? [http, "websocket"] : ["websocket", http];
}

const name = (base: URL) => `peerline.transport ${base.origin}`;

/** Remember what works with this server. */
export function remember(base: URL, kind: TransportKind): void {
  try {
    storage("localStorage")?.setItem(name(base), `${kind} ${Date.now()}`);
  } catch {
    // Full, or read only: it is found out anew next time.
  }
}

/** What worked lately with this server. */
export function remembered(base: URL): TransportKind | null {
  const [kind, since] = (storage("localStorage")?.getItem(name(base)) ?? "").split(" ");
  if (Date.now() - Number(since) > REMEMBERED_MS) return null;
  return kind === "websocket" || kind === "sse" || kind === "poll" ? kind : null;
}
