// The page's state: a thin layer over the SDK's client that remembers what a person should see.

import type {
  Call,
  Client,
  ConnectOptions,
  HistoryEntry,
  Media,
  MissedCall,
  Person,
  Presence,
} from "@peerline/sdk";
import { memory } from "./memory";
import { Observable } from "./observable";
import type { PageOptions } from "./options";
import { problemOf, type Problem } from "./problem";
import { statusOf, type StatusWord } from "./status";

export type OwnPresence = "online" | "away" | "dnd";
export type Connect = (options: ConnectOptions) => Promise<Client>;

const HISTORY_PAGE = 50;

export class Session extends Observable {
  phase: "out" | "entering" | "in" = "out";
  client: Client | null = null;
  /** The call that rings or is up. */
  call: Call | null = null;
  /** The call that ended last: its files can still be saved, its reason be read. */
  lastCall: Call | null = null;
  status: StatusWord = "none";
  problem: Problem | null = null;
  chosen: OwnPresence = "online";
  missed: MissedCall[] = [];
  history: HistoryEntry[] = [];
  hasOlder = false;
  #waiting: Call | null = null;
  #leaveCall: () => void = () => {};
  #leaveClient: (() => void)[] = [];

  constructor(
    readonly connect: Connect,
    readonly options: PageOptions,
    readonly address: string,
  ) {
    super();
  }

  async register(name: string, token: string | null = null): Promise<void> {
    if (this.phase !== "out") return;
    this.phase = "entering";
    this.problem = null;
    this.changed();
    try {
      const client = await this.connect({
        name,
        url: new URL(".", this.address).href,
        transport: this.options.transport,
        iceTransportPolicy: this.options.ice,
        ...(token ? { token } : {}),
      });
      memory.setName(client.me.n);
      memory.setRegistered(client.me.n);
      memory.setToken(token);
      this.#enter(client);
    } catch (error) {
      this.phase = "out";
      this.problem = problemOf(error);
    }
    this.changed();
  }

  /** Signs out: the others see it at once, and a reload does not come back by itself. */
  leave(): void {
    memory.setRegistered(null);
    this.client?.close();
    this.#forget(null);
  }

  others(): Person[] {
    const { client } = this;
    if (!client) return [];
    return [...client.people.values()]
      .filter((person) => person.u !== client.me.u && person.st !== "offline")
      .sort((one, other) => one.n.localeCompare(other.n));
  }

  dial(u: string, media: Media): void {
    // A second click while the first call is on its way changes nothing.
    if (!this.client || this.call) return;
    this.problem = null;
    try {
      this.#follow(this.client.call(u, media));
    } catch (error) {
      this.problem = problemOf(error);
      this.changed();
    }
  }

  setPresence(chosen: OwnPresence): void {
    this.client?.setPresence(chosen);
    this.chosen = chosen;
    this.changed();
  }

  acknowledgeMissed(): void {
    this.client?.seen(this.missed.map((missed) => missed.call));
    this.missed = [];
    this.changed();
  }

  async loadHistory(older = false): Promise<void> {
    const oldest = older ? this.history.at(-1)?.started : undefined;
    try {
      const page = (await this.client?.history(oldest)) ?? [];
      const known = older ? this.history : [];
      const seen = new Set(known.map((entry) => entry.call));
      this.history = [...known, ...page.filter((entry) => !seen.has(entry.call))];
      this.hasOlder = page.length >= HISTORY_PAGE;
      this.changed();
    } catch {
      // The list stays as it was; it is asked for again after the next call.
    }
  }

  dismissProblem(): void {
    this.problem = null;
    this.changed();
  }

  #enter(client: Client): void {
    this.client = client;
    this.phase = "in";
    this.#leaveClient = [
      client.on("people", () => this.#peopleChanged()),
      client.on("incoming", (call) => this.#rings(call)),
      client.on("call", (call) => (call ? this.#follow(call) : this.#callChanged())),
      client.on("missed", (missed) => this.#addMissed(missed)),
      client.on("state", (state, why) => this.#clientChanged(state, why)),
    ];
    if (client.currentCall) this.#follow(client.currentCall);
    void this.loadHistory();
  }

  /** Somebody calls. While a call of our own is on, theirs waits: when both call each other, one of the two goes. */
  #rings(call: Call): void {
    if (this.call && this.call !== call) this.#waiting = call;
    else this.#follow(call);
  }

  #follow(call: Call): void {
    if (this.call === call || call.state === "ended") return;
    this.#leaveCall();
    this.call = call;
    this.#leaveCall = call.on("change", () => this.#callChanged());
    this.#callChanged();
  }

  #callChanged(): void {
    const { call } = this;
    if (!call) return;
    this.status = statusOf(call);
    if (call.state === "ended") {
      this.#leaveCall();
      this.#leaveCall = () => {};
      this.call = null;
      this.lastCall = call;
      const waiting = this.#waiting;
      this.#waiting = null;
      if (waiting?.state === "incoming") return this.#follow(waiting);
      void this.loadHistory();
    }
    this.changed();
  }

  #peopleChanged(): void {
    const own: Presence | undefined = this.client?.people.get(this.client.me.u)?.st;
    // Another device of the same person may have chosen; "call" is not a choice.
    if (own === "online" || own === "away" || own === "dnd") this.chosen = own;
    this.changed();
  }

  #addMissed(missed: MissedCall[]): void {
    const known = new Set(this.missed.map((one) => one.call));
    this.missed = [...missed.filter((one) => !known.has(one.call)), ...this.missed].sort(
      (a, b) => b.at - a.at,
    );
    void this.loadHistory();
    this.changed();
  }

  #clientChanged(state: Client["state"], why?: string): void {
    if (state !== "closed") return this.changed();
    if (this.client === null) return;
    // Whoever replaced this tab is the person now: a reload here must not take it back.
    memory.setRegistered(null);
    this.#forget(why ? { code: why, detail: "" } : null);
  }

  #forget(problem: Problem | null): void {
    for (const leave of this.#leaveClient) leave();
    this.#leaveClient = [];
    this.#leaveCall();
    this.#leaveCall = () => {};
    this.client = null;
    this.call = null;
    this.lastCall = null;
    this.#waiting = null;
    this.missed = [];
    this.history = [];
    this.status = "none";
    this.phase = "out";
    this.problem = problem;
    this.changed();
  }
}
