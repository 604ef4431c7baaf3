// Receiving by server-sent events (docs/protocol.md, section 2.2), read with fetch: EventSource can set no headers.

import { readFrame } from "../envelope.js";
import { EventStream } from "./event-stream.js";
import type { Listening } from "./http.js";

/** Without the first `:hb` in this time a proxy on the way holds the stream back. */
export const FIRST_HEARTBEAT_MS = 5000;
/** The server says `:hb` every 15 s; three missing mean that the stream is dead. */
const SILENCE_MS = 45_000;

/** The stream brought no `:hb` in time. */
export class BufferedError extends Error {
  override readonly name = "BufferedError";
}

/** One stream from its opening to its end. Throws BufferedError, or what `fetch` throws. */
export async function listenToEvents(listening: Listening, firstMs = FIRST_HEARTBEAT_MS): Promise<void> {
  const watch = new AbortController();
  const stop = () => watch.abort();
  listening.signal.addEventListener("abort", stop);
  let hasCome = false;
  let timer = setTimeout(stop, firstMs);
  try {
    const response = await listening.get(`events?rx=${listening.received()}`, watch.signal);
    if (!response.body) throw new BufferedError("this browser does not read streams");
    const stream = new EventStream();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      hasCome = true;
      listening.alive();
      clearTimeout(timer);
      timer = setTimeout(stop, SILENCE_MS);
      for (const data of stream.feed(value)) {
        for (const envelope of readFrame(data)) listening.receive(envelope);
      }
    }
  } catch (error) {
    if (!hasCome && watch.signal.aborted && !listening.signal.aborted)
      throw new BufferedError("no :hb in time");
    throw error;
  } finally {
    clearTimeout(timer);
    listening.signal.removeEventListener("abort", stop);
    watch.abort();
  }
}
