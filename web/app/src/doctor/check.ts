// One check: idle → running → ok, warning, failed, or unknown; with what it saw and the line that fixes it.

import type { WordKey } from "../i18n/language";
import { Observable } from "../state/observable";
import type { Patient } from "./patient";

/** `unknown` is no warning: it could not be found out, or there was nothing to look at. */
export type State = "idle" | "running" | "ok" | "warning" | "failed" | "unknown";

/** Something to say, in whichever language the page speaks then. Values named `address…` are private. */
export interface Words {
  key: WordKey;
  values?: Record<string, string | number>;
}

export interface Outcome {
  state: Exclude<State, "idle" | "running">;
  summary: Words;
  /** What to type, or what to do. */
  fix?: Words;
}

export interface Check {
  /** Its title is i18n `doctor.check.NAME`. */
  readonly name: CheckName;
  readonly timeoutMs: number;
  /** Look, `say` what was seen, tell the patient what others may need, and judge. May throw: then it has failed. */
  examine(patient: Patient, say: (words: Words) => void, signal: AbortSignal): Promise<Outcome>;
}

export type CheckName =
  | "secure"
  | "media"
  | "websocket"
  | "http"
  | "clock"
  | "stun"
  | "nat"
  | "relayUdp"
  | "relayTcp"
  | "relayTls"
  | "relayOnly"
  | "advertised";

export const words = (key: WordKey, values?: Words["values"]): Words => ({ key, ...(values && { values }) });

const outcome = (state: Outcome["state"], summary: Words, fix?: Words): Outcome => ({
  state,
  summary,
  ...(fix && { fix }),
});
export const ok = (summary: Words) => outcome("ok", summary);
export const warning = (summary: Words, fix?: Words) => outcome("warning", summary, fix);
export const failed = (summary: Words, fix?: Words) => outcome("failed", summary, fix);
export const unknown = (summary: Words) => outcome("unknown", summary);

/** A failure that a check throws from deep inside. */
export class Failure extends Error {
  constructor(readonly outcome: Outcome) {
    super(outcome.summary.key);
  }
}

/** One check and how it stands. */
export class Row extends Observable {
  state: State = "idle";
  outcome: Outcome | null = null;
  log: Words[] = [];

  constructor(readonly check: Check) {
    super();
  }

  /** From idle to the end; never rejects. */
  async run(patient: Patient): Promise<void> {
    if (this.state !== "idle") throw new Error(`${this.check.name} runs once`);
    this.state = "running";
    this.changed();
    const life = new AbortController();
    const say = (line: Words) => {
      this.log = [...this.log, line];
      this.changed();
    };
    this.outcome = await Promise.race([this.#examine(patient, say, life.signal), this.#tooLate(life.signal)]);
    life.abort();
    this.state = this.outcome.state;
    this.changed();
  }

  async #examine(patient: Patient, say: (line: Words) => void, signal: AbortSignal): Promise<Outcome> {
    try {
      return await this.check.examine(patient, say, signal);
    } catch (error) {
      if (error instanceof Failure) return error.outcome;
      return failed(words("doctor.broke", { detail: error instanceof Error ? error.name : String(error) }));
    }
  }

  #tooLate(signal: AbortSignal): Promise<Outcome> {
    const seconds = this.check.timeoutMs / 1000;
    return new Promise((resolve) => {
      const timer = setTimeout(
        () => resolve(failed(words("doctor.tooLate", { seconds }))),
        this.check.timeoutMs,
      );
      signal.addEventListener("abort", () => clearTimeout(timer));
    });
  }
}
