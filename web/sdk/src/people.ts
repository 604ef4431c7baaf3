// Who is there, as the server tells it (docs/protocol.md, section 6).

import type { PersonShown } from "./protocol.js";
import type { Person } from "./types.js";

export class People {
  readonly map = new Map<string, Person>();

  /** Everybody present, in answer to `watch`. */
  replace(people: readonly PersonShown[]): void {
    this.map.clear();
    this.merge(people);
  }

  /** What has changed. */
  merge(people: readonly PersonShown[]): void {
    for (const { u, n, st } of people) {
      if (st === "offline") this.map.delete(u);
      else this.map.set(u, { u, n, st });
    }
  }
}
