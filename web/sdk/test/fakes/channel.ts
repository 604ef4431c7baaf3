// Two ends of a data channel: ordered and reliable, delivered a task later, with a buffer that drains by itself.

type Data = string | ArrayBuffer;

export class FakeChannel {
  readyState: RTCDataChannelState = "connecting";
  binaryType = "arraybuffer";
  bufferedAmount = 0;
  bufferedAmountLowThreshold = 0;
  /** The most that was ever buffered. */
  highest = 0;
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onbufferedamountlow: (() => void) | null = null;
  other!: FakeChannel;
  readonly sent: Data[] = [];
  /** What becomes of a message on its way; null loses it. */
  spoil: (data: Data) => Data | null = (data) => data;

  constructor(
    readonly label: string,
    readonly protocol = "",
  ) {}

  get asChannel(): RTCDataChannel {
    return this as unknown as RTCDataChannel;
  }

  send(data: string | ArrayBufferView<ArrayBuffer>): void {
    if (this.readyState !== "open") throw new DOMException("not open", "InvalidStateError");
    const message: Data =
      typeof data === "string" ? data : data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
    this.sent.push(message);
    const size = typeof message === "string" ? message.length : message.byteLength;
    this.bufferedAmount += size;
    this.highest = Math.max(this.highest, this.bufferedAmount);
    setTimeout(() => {
      const wasHigh = this.bufferedAmount > this.bufferedAmountLowThreshold;
      this.bufferedAmount -= size;
      const arrived = this.spoil(message);
      if (arrived !== null && this.other.readyState === "open") this.other.onmessage?.({ data: arrived });
      if (wasHigh && this.bufferedAmount <= this.bufferedAmountLowThreshold) this.onbufferedamountlow?.();
    }, 0);
  }

  /** What was said before is still delivered. */
  close(): void {
    if (this.readyState === "closed" || this.readyState === "closing") return;
    this.readyState = "closing";
    setTimeout(() => {
      for (const end of [this, this.other]) {
        if (end.readyState === "closed") continue;
        end.readyState = "closed";
        end.onclose?.();
      }
    }, 0);
  }

  /** The connection is gone. */
  break(): void {
    for (const end of [this, this.other]) {
      end.readyState = "closed";
      end.onclose?.();
    }
  }
}

export function channelPair(label: string, protocol = ""): [FakeChannel, FakeChannel] {
  const pair: [FakeChannel, FakeChannel] = [
    new FakeChannel(label, protocol),
    new FakeChannel(label, protocol),
  ];
  [pair[0].other, pair[1].other] = [pair[1], pair[0]];
  return pair;
}

export function open(pair: [FakeChannel, FakeChannel]): void {
  for (const end of pair) end.readyState = "open";
  for (const end of pair) end.onopen?.();
}
