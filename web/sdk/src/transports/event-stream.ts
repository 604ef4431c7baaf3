// Reads the text of a server-sent event stream (WHATWG HTML, section 9.2.6) as far as the protocol uses it.

/** Longest line taken; an envelope is at most 65,536 bytes. */
const MAX_LINE = 1 << 18;

export class EventStream {
  #line = "";
  #data: string[] = [];

  /** Feed decoded text as it comes, cut anywhere; returns the data of the events that are complete. */
  feed(text: string): string[] {
    const events: string[] = [];
    // A carriage return at the very end waits: a line feed may follow it.
    const lines = (this.#line + text).split(/\r\n|\n|\r(?=[^])/);
    this.#line = lines.pop() ?? "";
    if (this.#line.length > MAX_LINE) throw new RangeError("a line of the event stream is too long");
    for (const line of lines) {
      if (line === "") {
        if (this.#data.length > 0) events.push(this.#data.join("\n"));
        this.#data = [];
      } else if (line.startsWith("data:")) {
        this.#data.push(line.slice(line[5] === " " ? 6 : 5));
      }
    }
    return events;
  }
}
