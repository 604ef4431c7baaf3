// Perfect negotiation (W3C WebRTC 1.0, section 10.7) of one generation of the peer connection, with the numbers of
// docs/protocol.md, section 8. createOffer and setLocalDescription stand apart, as the classic call flow has them.

import { PC } from "./bodies.js";
import { readCandidate } from "./candidate.js";
import { CandidateBatch } from "./candidates.js";
import type { Cand, Candidate, Desc, Restart } from "./protocol.js";
import type { StepLog } from "./steps.js";

export interface NegotiationOptions {
  pc: RTCPeerConnection;
  g: number;
  /** The caller offers first and is impolite; the callee is polite. */
  isOfferer: boolean;
  /** The other side makes the first offer of this generation. */
  isFollowing: boolean;
  log: StepLog;
  /** The copy of a local description that is sent. */
  outgoing(sdp: string): string;
  sendDesc(desc: Desc): void;
  sendCand(cand: Cand): void;
  askRestart(restart: Restart): void;
  /** Camera and microphone are there and their tracks added: before the first answer of who follows. */
  prepare(): Promise<void>;
  /** Both descriptions are set. */
  settled(): void;
  failed(error: unknown): void;
}

export class Negotiation {
  readonly pc: RTCPeerConnection;
  readonly g: number;
  #options: NegotiationOptions;
  #batch: CandidateBatch;
  #isPrepared: boolean;
  /** Highest negotiation number seen, and the one of our offer that waits for its answer. */
  #n = 0;
  #pending: { n: number; isRestart: boolean } | null = null;
  #isOfferWanted = false;
  #isRestartWanted = false;
  #isOfferIgnored = false;
  /** Candidates that came before their description. */
  #early: Candidate[] = [];
  /** One after the other: between createOffer and setLocalDescription nothing else may happen. */
  #work: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: NegotiationOptions) {
    const { pc, g, log } = options;
    this.#options = options;
    this.#isPrepared = !options.isFollowing;
    this.pc = pc;
    this.g = g;
    this.#batch = new CandidateBatch(g, (cand) => {
      options.sendCand(cand);
      log.sent("candidatesSent", "peer", cand);
    });
    pc.onnegotiationneeded = () => {
      log.did("negotiationneeded");
      this.negotiate();
    };
    pc.onicecandidate = ({ candidate }) => {
      if (candidate?.candidate) {
        log.did("candidateGathered", candidate.toJSON(), readCandidate(candidate.candidate));
        this.#batch.add(candidate);
      } else if (!candidate) {
        log.did("gatheringComplete");
        this.#batch.complete();
      }
    };
  }

  /** Make an offer, now or as soon as it is possible. */
  negotiate(): void {
    this.#isOfferWanted = true;
    this.#next(() => this.#offerIfPossible());
  }

  /** Restart ICE: the offerer does it, the other side asks for it. Deferred, never skipped, when not stable. */
  restart(why: Restart["why"]): void {
    if (!this.#options.isOfferer) return this.#options.askRestart({ pc: PC, why });
    this.#isRestartWanted = true;
    this.#next(() => this.#offerIfPossible());
  }

  /** The offerer's restart after a lost session: an offer without its answer may be lost, too, and is made anew. */
  restartAnew(): void {
    if (!this.#options.isOfferer) return;
    this.#isRestartWanted = true;
    this.#next(async () => {
      if (this.#isRestartWanted) await this.#offer();
    });
  }

  receiveDesc(desc: Desc): void {
    this.#n = Math.max(this.#n, desc.n);
    this.#next(() => (desc.sdp.type === "offer" ? this.#answer(desc) : this.#accept(desc)));
  }

  receiveCand(cand: Cand): void {
    this.#options.log.got("candidatesReceived", "peer", cand);
    this.#next(() => this.#add(cand.c));
  }

  close(): void {
    this.#isClosed = true;
    this.#batch.close();
    this.pc.onnegotiationneeded = this.pc.onicecandidate = null;
    this.pc.close();
  }

  #next(act: () => Promise<void>): void {
    this.#work = this.#work.then(async () => {
      if (this.#isClosed) return;
      try {
        await act();
      } catch (error) {
        if (!this.#isClosed) this.#options.failed(error);
      }
    });
  }

  async #offerIfPossible(): Promise<void> {
    if (!this.#isOfferWanted && !this.#isRestartWanted) return;
    const isOurTurn = !this.#options.isFollowing || this.pc.remoteDescription !== null;
    if (isOurTurn && this.pc.signalingState === "stable") await this.#offer();
  }

  async #offer(): Promise<void> {
    const { pc, log } = this;
    // Steps are noted when they are taken, not when they are done: what comes of them comes meanwhile.
    const isRestart = this.#isRestartWanted;
    this.#isOfferWanted = this.#isRestartWanted = false;
    if (isRestart) log.did("iceRestart");
    const offer = await pc.createOffer({ iceRestart: isRestart });
    log.did("createOffer", offer.sdp);
    log.did("setLocalDescription", { type: "offer" });
    await pc.setLocalDescription(offer);
    this.#pending = { n: ++this.#n, isRestart };
    this.#send("offer", offer.sdp ?? "", this.#n);
    log.sent("offerSent", "peer", this.#sdp(offer.sdp));
  }

  /** An offer came: answer it, unless it collides with ours and we are the impolite side. */
  async #answer(desc: Desc): Promise<void> {
    const { pc, log } = this;
    log.got("offerReceived", "peer", desc.sdp.sdp);
    const isCollision = pc.signalingState !== "stable";
    this.#isOfferIgnored = isCollision && this.#options.isOfferer;
    if (this.#isOfferIgnored) return;
    if (isCollision) {
      // setRemoteDescription rolls our offer back; what it wanted is offered again afterwards.
      log.did("rollback");
      this.#isOfferWanted = true;
      this.#isRestartWanted ||= this.#pending?.isRestart ?? false;
      this.#pending = null;
    }
    log.did("setRemoteDescription", { type: "offer" });
    await pc.setRemoteDescription(desc.sdp);
    await this.#add(this.#early.splice(0));
    const isFirst = !this.#isPrepared;
    if (isFirst) await this.#options.prepare();
    this.#isPrepared = true;
    if (this.#isClosed) return;
    const answer = await pc.createAnswer();
    log.did("createAnswer", answer.sdp);
    // The first answer takes a candidate along: the other side then knows where to look as soon as it may.
    const isFound = isFirst ? this.#batch.hold() : undefined;
    log.did("setLocalDescription", { type: "answer" });
    await pc.setLocalDescription(answer);
    await isFound;
    this.#send("answer", answer.sdp ?? "", desc.n);
    log.sent("answerSent", "peer", this.#sdp(answer.sdp));
    this.#batch.release();
    this.#settled();
  }

  /** An answer came; one to another offer than the pending one is dropped. */
  async #accept(desc: Desc): Promise<void> {
    const { pc, log } = this;
    log.got("answerReceived", "peer", desc.sdp.sdp);
    if (pc.signalingState !== "have-local-offer" || desc.n !== this.#pending?.n) return;
    log.did("setRemoteDescription", { type: "answer" });
    await pc.setRemoteDescription(desc.sdp);
    this.#pending = null;
    this.#isOfferIgnored = false;
    await this.#add(this.#early.splice(0));
    this.#settled();
  }

  async #add(candidates: Candidate[]): Promise<void> {
    const { pc, log } = this;
    for (const candidate of candidates) {
      if (!pc.remoteDescription) {
        this.#early.push(candidate);
        continue;
      }
      log.did("candidateAdded", candidate, readCandidate(candidate.candidate));
      try {
        await pc.addIceCandidate(candidate);
      } catch (error) {
        // Candidates of an ignored offer, or of one that was replaced meanwhile, fit nowhere: no harm.
        if (!this.#isOfferIgnored) console.debug("peerline: a candidate was not taken", error);
      }
    }
  }

  #settled(): void {
    this.#options.settled();
    this.#next(() => this.#offerIfPossible());
  }

  #send(type: "offer" | "answer", sdp: string, n: number): void {
    this.#options.sendDesc({ pc: PC, g: this.g, n, sdp: { type, sdp: this.#sdp(sdp) } });
  }

  #sdp(sdp = ""): string {
    return this.#options.outgoing(sdp);
  }

  private get log(): StepLog {
    return this.#options.log;
  }
}
