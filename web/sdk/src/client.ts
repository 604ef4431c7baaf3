// The client: signed in under a name, sees who is there, calls and is called.

import { Call } from "./call.js";
import { Emitter } from "./emitter.js";
import type { Body, Envelope } from "./envelope.js";
import { PeerlineError } from "./error.js";
import { claimDevice, type Device, makeCallToken, ownerKey } from "./identity.js";
import { followPage } from "./lifecycle.js";
import type { Line } from "./line.js";
import { People } from "./people.js";
import type { Ended, Hello, Ice, Missed, PersonShown, Ring, Stop, Synced, Up } from "./protocol.js";
import { forgetCall, rememberedCall } from "./remembered.js";
import { Session } from "./session.js";
import type {
  ClientState,
  ConnectOptions,
  HistoryEntry,
  Media,
  MissedCall,
  Person,
  Presence,
  TransportKind,
} from "./types.js";

export interface ClientEvents {
  people: [people: ReadonlyMap<string, Person>];
  incoming: [call: Call];
  /** `currentCall` is another one now. */
  call: [call: Call | null];
  missed: [missed: MissedCall[]];
  /** With the reason, where there is one: `replaced`, `drain`, … */
  state: [state: ClientState, why?: string];
}

/** Sign in. Rejects with PeerlineError: `taken`, `auth`, `rate`, `bad`, `unavailable`. */
export async function connect(options: ConnectOptions): Promise<Client> {
  const device = options.device
    ? { id: options.device, isOriginal: true, release: () => undefined }
    : await claimDevice();
  // The call that is remembered here is the other tab's.
  if (!device.isOriginal) forgetCall();
  const identity: Omit<Hello, "v" | "res"> = { dev: device.id };
  if (options.name) identity.name = options.name;
  if (options.token) identity.tok = options.token;
  else identity.own = options.ownerKey ?? ownerKey();
  try {
    const session = await Session.open({
      base: baseOf(options.url),
      wish: options.transport ?? "auto",
      identity,
    });
    return new Client(session, device, options);
  } catch (error) {
    device.release();
    throw error;
  }
}

/** The address below which the server is mounted. */
export function baseOf(url?: string): URL {
  if (url === undefined) return new URL(".", globalThis.document.baseURI);
  return new URL(url.endsWith("/") ? url : `${url}/`);
}

export class Client {
  #session: Session;
  #events = new Emitter<ClientEvents>(["incoming", "call", "missed"]);
  #people = new People();
  #calls = new Map<string, Call>();
  #current: Call | null = null;
  #wish: "online" | "away" | "dnd" | null = null;
  #iceTransportPolicy: RTCIceTransportPolicy | undefined;
  #unfollow: () => void;
  #device: Device;
  #line: Line;

  /** @internal Use `connect()`. */
  constructor(session: Session, device: Device, options: ConnectOptions) {
    this.#session = session;
    this.#device = device;
    this.#iceTransportPolicy = options.iceTransportPolicy;
    this.#line = {
      me: this.me,
      configuration: () => this.#configuration(),
      send: (t, d, call) => this.#session.send(t, d, call),
      request: (t, d, call) => this.#session.request(t, d, call),
      entered: (call) => this.#enter(call),
      ended: (call) => this.#left(call),
    };
    this.#unfollow = followPage({
      network: () => {
        session.check();
        for (const call of this.#calls.values()) call.network();
      },
      visible: () => session.check(),
      hide: () => {
        this.#endCalls();
        session.suspend();
        device.release();
      },
      restored: () => session.restore(),
    });
    this.#takeUpRememberedCall();
    this.#sayAnew();
    session.events.on("fresh", () => this.#sayAnew());
    session.events.on("message", (envelope) => this.#receive(envelope));
    session.events.on("state", (state, why) => {
      if (state === "closed") this.#closed();
      this.#events.emit("state", state, why);
    });
  }

  on<K extends keyof ClientEvents>(event: K, listener: (...args: ClientEvents[K]) => void): () => void {
    return this.#events.on(event, listener);
  }

  get me(): { readonly u: string; readonly n: string; readonly rights: string[] } {
    return this.#session.welcome.me;
  }

  /** Everybody present, oneself included, by canonical name. */
  get people(): ReadonlyMap<string, Person> {
    return this.#people.map;
  }

  /** How others see us. */
  get presence(): Presence {
    if (this.#session.state === "closed") return "offline";
    return this.#people.map.get(this.me.u)?.st ?? this.#wish ?? "online";
  }

  /** Whether the server offers a relay, without which `iceTransportPolicy: "relay"` connects nobody. */
  get hasRelay(): boolean {
    return this.#session.welcome.ice.servers.some(({ urls }) => urls.some((url) => url.startsWith("turn")));
  }

  get state(): ClientState {
    return this.#session.state;
  }

  get transport(): TransportKind {
    return this.#session.transport;
  }

  /** The call that this device makes or has; one that only rings is not meant. */
  get currentCall(): Call | null {
    return this.#current;
  }

  /** Call somebody. A second click on the same person returns the call that is being made. */
  call(u: string, media: Media): Call {
    const current = this.#current;
    if (current?.direction === "out" && current.peer.u === u) return current;
    if (current) throw new PeerlineError("conflict", "there is a call already", { hint: "Hang up first." });
    const peer = { u, n: this.#people.map.get(u)?.n ?? u };
    const call = this.#add(
      new Call(this.#line, { id: makeCallToken(), direction: "out", peer, state: "calling", media }),
    );
    this.#enter(call);
    call.place();
    return call;
  }

  setPresence(st: "online" | "away" | "dnd"): void {
    this.#wish = st;
    this.#session.send("pres", { st });
  }

  /** Calls of the past, newest first; with `before`, a time, the next page. */
  async history(before?: number): Promise<HistoryEntry[]> {
    const answer = await this.#session.request("history", before === undefined ? {} : { before });
    return answer.calls;
  }

  /** These missed calls were seen; they are not told again. */
  seen(calls: string[]): void {
    if (calls.length > 0) this.#session.send("seen", { calls });
  }

  /** Sign out: calls end, others see it at once. */
  close(): void {
    this.#endCalls();
    this.#session.close();
  }

  // New sessions ------------------------------------------------------------------------------------

  /** After a crash of this page (it did not say bye) its call may still be there. */
  #takeUpRememberedCall(): void {
    const known = rememberedCall();
    if (!known || known.me !== this.me.u) return forgetCall();
    const { call: id, peer, role, media } = known;
    const direction = role === "caller" ? "out" : "in";
    const call = this.#add(new Call(this.#line, { id, direction, peer, state: "reconnecting", media }));
    this.#enter(call);
    call.comeBack();
  }

  /** A new session knows nothing: who watches, in which presence, in which calls (sections 6 and 9). */
  #sayAnew(): void {
    const ringing = [...this.#calls.values()].filter((call) => call.state === "incoming");
    const rangBefore = new Map(ringing.map((call) => [call, call.timesRung]));
    const watched = ({ people }: { people: PersonShown[] }) => {
      this.#people.replace(people);
      this.#events.emit("people", this.people);
      // What still rings has rung again by now.
      for (const [call, times] of rangBefore) {
        if (call.state === "incoming" && call.timesRung === times) call.finish("lost");
      }
    };
    this.#session.request("watch", {}, undefined, watched).catch(() => undefined);
    if (this.#wish) this.#session.send("pres", { st: this.#wish });
    this.#sync();
    for (const call of [...this.#calls.values()]) call.sessionIsNew();
  }

  #sync(): void {
    const calls = [...this.#calls.values()].filter((call) => call.isUp);
    if (calls.length === 0) return;
    const known = calls.map((call) => ({
      call: call.id,
      peer: call.peer.u,
      role: call.direction === "out" ? ("caller" as const) : ("callee" as const),
      live: call.pc !== null,
      media: call.wanted,
    }));
    const gone = ({ calls: verdicts }: Synced) => {
      for (const call of calls) if (verdicts[call.id] === "gone") call.finish("lost");
    };
    this.#session.request("sync", { calls: known }).then(gone, () => undefined);
  }

  // Messages ----------------------------------------------------------------------------------------

  #receive(envelope: Envelope): void {
    const { t, call: token = "", d = {} } = envelope;
    const call = this.#calls.get(token);
    switch (t) {
      case "pres":
        this.#people.merge(d.people as PersonShown[]);
        return this.#events.emit("people", this.people);
      case "ice":
        this.#session.renewIce(d as unknown as Ice);
        return this.#calls.forEach((each) => each.renewIce());
      case "missed":
        return this.#events.emit("missed", (d as unknown as Missed).calls);
      case "ring":
        return this.#ring(token, envelope.from ?? { u: "", n: "" }, d as unknown as Ring);
      case "rung":
        return call?.rung();
      case "up":
        return this.#up(token, d as unknown as Up);
      case "stop":
        return call?.finish((d as unknown as Stop).why);
      case "end":
        return this.#ended(call, d as unknown as Ended);
      case "err":
        return this.#refused(call, d);
      case "desc":
      case "cand":
      case "renego":
      case "restart":
      case "info":
        return call?.receive(t, d);
      // A type that we do not know is ignored.
    }
  }

  #ring(id: string, peer: { u: string; n: string }, ring: Ring): void {
    const known = this.#calls.get(id);
    const call =
      known ??
      this.#add(new Call(this.#line, { id, direction: "in", peer, state: "incoming", media: ring.media }));
    call.rings(ring.exp - ring.now);
    if (!known) this.#events.emit("incoming", call);
  }

  #up(token: string, up: Up): void {
    const call = this.#calls.get(token);
    // Never open a microphone for a call that nobody here made or took.
    if (call && call.state !== "incoming") call.up(up);
    else this.#session.send("end", {}, token);
  }

  #ended(call: Call | undefined, { why, into }: Ended): void {
    if (!call) return;
    call.log.got("end", "server", { why });
    if (why === "merged" && into) this.#merge(call, into);
    else call.finish(why);
  }

  /** Glare: they called us while we called them. Their call stays; it goes on with our camera. */
  #merge(ours: Call, into: string): void {
    const { peer } = ours;
    const heritage = ours.bequeath();
    this.#calls.get(into)?.finish("merged");
    const theirs = new Call(this.#line, {
      id: into,
      direction: "in",
      peer,
      state: "connecting",
      media: heritage.wanted,
      heritage,
    });
    this.#add(theirs);
    this.#enter(theirs);
    ours.merged();
  }

  /** What has no answer to wait for was refused. Only `gone` says anything about the call as it is now. */
  #refused(call: Call | undefined, d: Body): void {
    if (call?.isUp && d.code === "gone") call.finish("lost");
  }

  // Calls -------------------------------------------------------------------------------------------

  #add(call: Call): Call {
    this.#calls.set(call.id, call);
    return call;
  }

  #enter(call: Call): void {
    this.#current = call;
    this.#events.emit("call", call);
  }

  #left(call: Call): void {
    if (this.#calls.get(call.id) === call) this.#calls.delete(call.id);
    if (this.#current !== call) return;
    this.#current = null;
    this.#events.emit("call", null);
  }

  #endCalls(): void {
    for (const call of [...this.#calls.values()])
      call.finish(call.state === "incoming" ? "offline" : "hangup");
  }

  /** Signed out: by us, by another tab, or by the server. */
  #closed(): void {
    this.#endCalls();
    this.#unfollow();
    this.#device.release();
    this.#people.replace([]);
  }

  #configuration(): RTCConfiguration {
    const { servers } = this.#session.welcome.ice;
    const policy = this.#iceTransportPolicy;
    return { iceServers: servers, ...(policy && { iceTransportPolicy: policy }) };
  }
}
