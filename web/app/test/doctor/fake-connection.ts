// A peer connection that finds the candidates, and meets the errors, that the test says.

export interface Script {
  candidates?: Partial<RTCIceCandidate>[];
  errors?: { errorCode: number; errorText: string; url: string }[];
  /** Gathering never ends. */
  hangs?: boolean;
}

export class FakeConnection {
  onicecandidate: ((event: { candidate: unknown }) => void) | null = null;
  onicecandidateerror: ((event: unknown) => void) | null = null;
  isClosed = false;

  constructor(
    readonly configuration: RTCConfiguration,
    private readonly script: Script,
  ) {}

  createDataChannel = () => ({});

  setLocalDescription = async () => {
    for (const error of this.script.errors ?? []) this.onicecandidateerror?.(error);
    for (const candidate of this.script.candidates ?? []) {
      this.onicecandidate?.({ candidate: { candidate: "candidate:1", ...candidate } });
    }
    if (!this.script.hangs) this.onicecandidate?.({ candidate: null });
  };

  close = () => {
    this.isClosed = true;
  };
}

/** Makes connections by the script that is for their first URL, and keeps them. */
export function connections(scripts: Record<string, Script>) {
  const made: FakeConnection[] = [];
  const make = (configuration: RTCConfiguration) => {
    const [server] = configuration.iceServers ?? [];
    const connection = new FakeConnection(configuration, scripts[String(server?.urls)] ?? {});
    made.push(connection);
    return connection as unknown as RTCPeerConnection;
  };
  return { made, make };
}
