// The visit from beginning to end: stage after stage, the checks of a stage at the same time.

import { Observable } from "../state/observable";
import { type Check, Row, type State } from "./check";
import { advertised } from "./checks/advertised";
import { clock } from "./checks/clock";
import { http } from "./checks/http";
import { media } from "./checks/media";
import { nat } from "./checks/nat";
import { relay } from "./checks/relay";
import { relayOnly } from "./checks/relay-only";
import { secure } from "./checks/secure";
import { stun } from "./checks/stun";
import { websocket } from "./checks/websocket";
import type { Patient } from "./patient";

/** Those of one stage run at the same time; those of the next need what they found out. */
export const STAGES: readonly (readonly Check[])[] = [
  [secure, media, websocket, http],
  [clock, stun, nat, relay("udp"), relay("tcp"), relay("tls")],
  [relayOnly, advertised],
];

export class Examination extends Observable {
  readonly rows: readonly Row[];
  readonly #stages: readonly (readonly Row[])[];

  constructor(
    readonly patient: Patient,
    stages = STAGES,
  ) {
    super();
    this.#stages = stages.map((stage) => stage.map((check) => new Row(check)));
    this.rows = this.#stages.flat();
    for (const row of this.rows) row.watch(() => this.changed());
  }

  async run(): Promise<void> {
    for (const stage of this.#stages) await Promise.all(stage.map((row) => row.run(this.patient)));
  }

  get done(): number {
    return this.rows.filter(({ outcome }) => outcome !== null).length;
  }

  /** The worst of all; running while there is something to wait for. */
  get verdict(): "running" | "ok" | "warning" | "failed" {
    if (this.done < this.rows.length) return "running";
    const has = (state: State) => this.rows.some((row) => row.state === state);
    return has("failed") ? "failed" : has("warning") ? "warning" : "ok";
  }
}
