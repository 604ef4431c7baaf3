// The candidates that a browser finds with given servers, and the errors it meets (W3C WebRTC, section 4.8.1).

export interface Gathered {
  candidates: RTCIceCandidate[];
  errors: { code: number; text: string; url: string }[];
  /** Gathering came to its end, or to what was wanted. Chromium goes on for minutes where a STUN server is silent. */
  isComplete: boolean;
  /** Until the first candidate of the wanted sort, in milliseconds. */
  firstAfterMs: number | null;
}

interface Wish {
  servers: RTCIceServer[];
  policy?: RTCIceTransportPolicy;
  /** Stop at the first of these; without it all are waited for. */
  until?: RTCIceCandidateType;
  /** Patience. */
  withinMs: number;
  signal: AbortSignal;
}

/** Gather until the end, the first candidate of the wanted sort, or the signal. Nothing is connected to anybody. */
export async function gather(
  newConnection: (configuration: RTCConfiguration) => RTCPeerConnection,
  { servers, policy = "all", until, withinMs, signal }: Wish,
): Promise<Gathered> {
  const found: Gathered = { candidates: [], errors: [], isComplete: false, firstAfterMs: null };
  const connection = newConnection({ iceServers: servers, iceTransportPolicy: policy });
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const began = performance.now();
    const done = new Promise<void>((resolve) => {
      const complete = () => {
        found.isComplete = true;
        resolve();
      };
      connection.onicecandidate = ({ candidate }) => {
        // An empty candidate ends a generation, null all of them.
        if (!candidate) return complete();
        if (candidate.candidate === "") return;
        found.candidates.push(candidate);
        if (candidate.type === until) {
          found.firstAfterMs ??= performance.now() - began;
          complete();
        }
      };
      connection.onicecandidateerror = ({ errorCode, errorText, url }) => {
        found.errors.push({ code: errorCode, text: errorText, url });
      };
      timer = setTimeout(resolve, withinMs);
      signal.addEventListener("abort", () => resolve());
    });
    connection.createDataChannel("doctor");
    await connection.setLocalDescription();
    await done;
    return found;
  } finally {
    clearTimeout(timer);
    connection.close();
  }
}
