// The local side of a call: camera, microphone, screen, and the stream made of them (W3C Media Capture and Streams).

import type { StepLog } from "./steps.js";
import type { Media } from "./types.js";

type Kind = "audio" | "video";
const KINDS = { a: "audio", v: "video" } as const;
const BY_DEFAULT = { audio: {}, video: { width: { ideal: 1280 }, height: { ideal: 720 } } };

export class LocalMedia {
  readonly stream = new MediaStream();
  /** Why something that was asked for last is missing. */
  error: DOMException | null = null;
  isMuted = false;
  isCameraOff = true;
  isSharing = false;
  #log: StepLog;
  #changed: () => void;
  #pc: RTCPeerConnection | null = null;
  #chosen: Record<Kind, string | null> = { audio: null, video: null };
  /** One thing at a time: a camera that is being opened cannot be closed. */
  #work: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(log: StepLog, changed: () => void) {
    this.#log = log;
    this.#changed = changed;
    devices()?.addEventListener("devicechange", changed);
  }

  /** Another call goes on with what is open (glare). */
  serve(changed: () => void): void {
    devices()?.removeEventListener("devicechange", this.#changed);
    this.#changed = changed;
    devices()?.addEventListener("devicechange", changed);
  }

  get audio(): MediaStreamTrack | null {
    return this.stream.getAudioTracks()[0] ?? null;
  }

  get video(): MediaStreamTrack | null {
    return this.stream.getVideoTracks()[0] ?? null;
  }

  /** What the other side can hear and see of us now. */
  get sending(): { audio: boolean; video: boolean } {
    return { audio: this.audio !== null && !this.isMuted, video: this.video !== null };
  }

  deviceId(kind: Kind): string | null {
    const track = kind === "video" && this.isSharing ? null : this[kind];
    return track?.getSettings().deviceId ?? this.#chosen[kind];
  }

  /** Settles when camera and microphone are there, or known to be missing. */
  get ready(): Promise<void> {
    return this.#work;
  }

  /** Ask for what the call is to have; with what is missing the call goes on without. Never rejects. */
  open(media: Media): Promise<void> {
    return this.#next(async () => {
      const wanted = { audio: media.includes("a"), video: media.includes("v") };
      const tries = [wanted, { audio: true, video: false }, { audio: false, video: true }].filter(
        (wish, i) => (wish.audio || wish.video) && (i === 0 || (wanted.audio && wanted.video)),
      );
      // A call of text and files alone.
      if (tries.length === 0) return;
      for (const wish of tries) {
        if (this.#isClosed) return;
        const tracks = await this.#capture(wish);
        if (!tracks) continue;
        for (const track of tracks) await this.#put(track.kind as Kind, track);
        break;
      }
      this.isCameraOff = this.video === null;
      const got = this.stream.getTracks().map(({ kind, label }) => ({ kind, label }));
      this.#log.did("getUserMedia", { wanted, got, ...(this.error && { error: this.error.name }) });
    });
  }

  /** Send over this connection from now on. The offerer also asks for kinds it cannot send itself. */
  attach(pc: RTCPeerConnection, media: Media, isOfferer: boolean): void {
    this.#pc = pc;
    for (const letter of ["a", "v"] as const) {
      const kind = KINDS[letter];
      const track = this[kind];
      if (track) {
        pc.addTrack(track, this.stream);
        this.#log.did("addTrack", { kind, label: track.label });
      } else if (isOfferer && media.includes(letter)) {
        pc.addTransceiver(kind, { direction: "recvonly" });
      }
    }
  }

  /** A muted track sends silence; the microphone stays open, so that unmuting is immediate. */
  setMuted(isMuted: boolean): void {
    this.isMuted = isMuted;
    if (this.audio) this.audio.enabled = !isMuted;
    this.#changed();
  }

  /** Off releases the camera: its light goes out. */
  setCameraOff(isOff: boolean): Promise<void> {
    return this.#next(async () => {
      if (isOff === this.isCameraOff) return;
      // While the screen is shown this only says what comes after it.
      if (isOff || this.isSharing) this.isCameraOff = isOff;
      if (this.isSharing) return;
      if (isOff) await this.#put("video", null);
      else await this.#openCamera();
    });
  }

  /** Show the screen in place of the camera. A dismissed picker is no error. */
  shareScreen(isOn: boolean): Promise<void> {
    return this.#next(async () => {
      if (isOn === this.isSharing) return;
      if (!isOn) return this.#endSharing();
      try {
        const stream = await navigator.mediaDevices.getDisplayMedia({ video: true, audio: false });
        const track = stream.getVideoTracks()[0];
        if (!track || this.#isClosed) return stop(stream);
        track.onended = () => void this.shareScreen(false);
        this.isSharing = true;
        await this.#put("video", track);
      } catch (error) {
        if ((error as DOMException).name !== "NotAllowedError") this.error = asDomException(error);
      }
    });
  }

  /** Take another microphone or camera. */
  selectDevice(kind: "audioinput" | "videoinput", deviceId: string): Promise<void> {
    return this.#next(async () => {
      const which: Kind = kind === "audioinput" ? "audio" : "video";
      const before = this.#chosen[which];
      this.#chosen[which] = deviceId;
      // A camera that is off is only remembered.
      if (which === "video" && (this.isCameraOff || this.isSharing)) return;
      const wish = { audio: which === "audio", video: which === "video" };
      let tracks = await this.#capture(wish);
      if (!tracks && this[which] && this.error?.name === "NotReadableError") {
        // Phones open one camera at a time: let go of the old one first.
        this[which]?.stop();
        tracks = await this.#capture(wish);
      }
      const track = tracks?.[0];
      if (track) await this.#put(which, track);
      else this.#chosen[which] = before;
    });
  }

  /** Release everything. */
  close(): void {
    this.#isClosed = true;
    this.#pc = null;
    devices()?.removeEventListener("devicechange", this.#changed);
    for (const track of this.stream.getTracks()) release(track);
  }

  #next(act: () => Promise<void>): Promise<void> {
    const done = this.#work.then(async () => {
      if (this.#isClosed) return;
      this.error = null;
      await act();
      this.#changed();
    });
    return (this.#work = done.catch((error: unknown) => {
      this.error = asDomException(error);
      this.#changed();
    }));
  }

  async #openCamera(): Promise<void> {
    const tracks = await this.#capture({ audio: false, video: true });
    if (!tracks?.[0]) return;
    this.isCameraOff = false;
    await this.#put("video", tracks[0]);
  }

  async #endSharing(): Promise<void> {
    this.isSharing = false;
    const wasOn = !this.isCameraOff;
    this.isCameraOff = true;
    if (wasOn) await this.#openCamera();
    if (this.isCameraOff) await this.#put("video", null);
  }

  /** getUserMedia; null, and the reason in `error`, if it fails. */
  async #capture(wish: Record<Kind, boolean>): Promise<MediaStreamTrack[] | null> {
    const constraints = (kind: Kind): MediaTrackConstraints | false => {
      const deviceId = this.#chosen[kind];
      return wish[kind] && { ...BY_DEFAULT[kind], ...(deviceId && { deviceId: { exact: deviceId } }) };
    };
    try {
      const open = devices();
      if (!open)
        throw new DOMException("camera and microphone need a secure page (https)", "NotSupportedError");
      const stream = await open.getUserMedia({ audio: constraints("audio"), video: constraints("video") });
      if (!this.#isClosed) return stream.getTracks();
      stop(stream);
    } catch (error) {
      this.error = asDomException(error);
    }
    return null;
  }

  /** Put a track in place of the one of its kind, in the stream and on the wire. */
  async #put(kind: Kind, track: MediaStreamTrack | null): Promise<void> {
    for (const old of this.stream.getTracks()) {
      if (old.kind !== kind) continue;
      this.stream.removeTrack(old);
      release(old);
    }
    if (track) {
      this.stream.addTrack(track);
      if (kind === "audio") track.enabled = !this.isMuted;
      // Pulled out: take another one, if there is.
      track.onended ??= () => void this.#replaceLost(kind);
    }
    const pc = this.#pc;
    const transceiver = pc?.getTransceivers().find((one) => one.receiver.track.kind === kind);
    if (transceiver) {
      await transceiver.sender.replaceTrack(track);
      if (track && !transceiver.direction.includes("send")) {
        transceiver.sender.setStreams?.(this.stream);
        transceiver.direction = transceiver.direction === "recvonly" ? "sendrecv" : "sendonly";
      }
    } else if (pc && track) {
      pc.addTrack(track, this.stream);
      this.#log.did("addTrack", { kind, label: track.label });
    }
  }

  #replaceLost(kind: Kind): Promise<void> {
    return this.#next(async () => {
      this.#chosen[kind] = null;
      const tracks = await this.#capture({ audio: kind === "audio", video: kind === "video" });
      await this.#put(kind, tracks?.[0] ?? null);
      if (kind === "video") this.isCameraOff = !this.video;
    });
  }
}

/** Missing on pages that are not secure. */
const devices = (): MediaDevices | undefined => (navigator as Partial<Navigator>).mediaDevices;

function release(track: MediaStreamTrack): void {
  track.onended = null;
  track.stop();
}

const stop = (stream: MediaStream) => stream.getTracks().forEach((track) => track.stop());

const asDomException = (error: unknown): DOMException =>
  error instanceof DOMException ? error : new DOMException(String(error), "OperationError");
