// What the server says to a hello: welcome, or why not (docs/protocol.md, sections 4 and 11).

import { failed, Failure, words } from "./check";
import type { Welcome } from "./patient";

/** Throws Failure with the server's own words if it refused, or if it is no server of this protocol. */
export function readWelcome(text: string): Welcome {
  const message = parse(text);
  const body = (message?.d ?? {}) as Record<string, unknown>;
  if (message?.t === "welcome" && isWelcome(body)) return body;
  if (message?.t !== "err") throw new Failure(failed(words("doctor.signal.stranger")));
  const isToken = body.code === "auth" || body.code === "expired";
  throw new Failure(
    failed(
      words("doctor.signal.refused", { detail: `${String(body.msg)} [${String(body.code)}]` }),
      isToken ? words("doctor.fix.token") : undefined,
    ),
  );
}

/** The first message of a frame, which may be a batch. */
export function parse(text: string): { t?: unknown; d?: unknown } | null {
  try {
    const content: unknown = JSON.parse(text);
    const first: unknown = Array.isArray(content) ? content[0] : content;
    return typeof first === "object" ? first : null;
  } catch {
    return null;
  }
}

function isWelcome(body: object): body is Welcome {
  const { now, sid, key, ice } = body as Partial<Welcome>;
  const hasTexts = typeof sid === "string" && typeof key === "string";
  return hasTexts && typeof now === "number" && Array.isArray(ice?.servers);
}
