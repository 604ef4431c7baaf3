// Limits: where `b=AS` goes, and what is left alone.

import { describe, expect, test, vi } from "vitest";
import { limitSenders, limitsIn, mergeLimits, withLimits } from "../src/bandwidth.js";

const sdp = (...lines: string[]) => lines.join("\r\n") + "\r\n";

const offer = sdp(
  "v=0",
  "o=- 1 2 IN IP4 127.0.0.1",
  "s=-",
  "t=0 0",
  "a=group:BUNDLE 0 1 2",
  "m=audio 9 UDP/TLS/RTP/SAVPF 111",
  "c=IN IP4 0.0.0.0",
  "a=mid:0",
  "m=video 9 UDP/TLS/RTP/SAVPF 96",
  "i=camera",
  "c=IN IP4 0.0.0.0",
  "a=mid:1",
  "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
  "c=IN IP4 0.0.0.0",
  "b=AS:30",
  "a=mid:2",
);

test("without limits the description is as it was", () => {
  expect(withLimits(offer, { audio: null, video: null })).toBe(offer);
});

test("b= stands behind i= and c=, in the section of its kind alone", () => {
  const limited = withLimits(offer, { audio: 32, video: 500 });
  expect(limited).toContain("c=IN IP4 0.0.0.0\r\nb=AS:32\r\na=mid:0\r\n");
  expect(limited).toContain("i=camera\r\nc=IN IP4 0.0.0.0\r\nb=AS:500\r\na=mid:1\r\n");
  expect(limited.match(/^b=/gm)).toHaveLength(3);
});

test("a changed limit replaces the one before, a lifted one goes", () => {
  const limited = withLimits(offer, { audio: 32, video: 500 });
  expect(withLimits(limited, { audio: 32, video: 800 })).toBe(withLimits(offer, { audio: 32, video: 800 }));
  expect(withLimits(limited, { audio: null, video: null })).toBe(offer);
});

test("a section without c= takes b= behind m=", () => {
  expect(withLimits(sdp("v=0", "m=video 9 UDP/TLS/RTP/SAVPF 96", "a=mid:0"), { audio: null, video: 7 })).toBe(
    sdp("v=0", "m=video 9 UDP/TLS/RTP/SAVPF 96", "b=AS:7", "a=mid:0"),
  );
});

test("limits are merged, and made whole positive numbers", () => {
  const limits = { audio: 20, video: 100 };
  expect(mergeLimits(limits, { video: 64.4 })).toEqual({ audio: 20, video: 64 });
  expect(mergeLimits(limits, { audio: null })).toEqual({ audio: null, video: 100 });
  expect(mergeLimits(limits, { audio: 0.2, video: -5 })).toEqual({ audio: 1, video: null });
  expect(mergeLimits(limits, { audio: NaN, video: 0 })).toEqual({ audio: null, video: null });
});

test("limits are read back from a description, per kind, and nonsense is none", () => {
  expect(limitsIn(withLimits(offer, { audio: 32, video: 500 }))).toEqual({ audio: 32, video: 500 });
  expect(limitsIn(offer)).toEqual({ audio: null, video: null });
  expect(limitsIn(sdp("m=video 9 x", "b=AS:0"))).toEqual({ audio: null, video: null });
  expect(limitsIn(sdp("m=video 9 x", "b=AS:-5", "b=AS:1e9", "b=TIAS:900"))).toEqual({
    audio: null,
    video: null,
  });
  expect(limitsIn("")).toEqual({ audio: null, video: null });
});

describe("what this side sends", () => {
  const sender = (maxBitrate?: number) => {
    const parameters = { encodings: [maxBitrate === undefined ? {} : { maxBitrate }] };
    return {
      getParameters: () => structuredClone(parameters),
      setParameters: vi.fn(() => Promise.resolve()),
    };
  };
  const connection = (remote: string | null, ...senders: [string, ReturnType<typeof sender>][]) =>
    ({
      remoteDescription: remote === null ? null : { sdp: remote },
      getTransceivers: () => senders.map(([kind, sender]) => ({ sender, receiver: { track: { kind } } })),
    }) as unknown as RTCPeerConnection;

  test("maxBitrate is set where it differs, and taken away with the limit", async () => {
    const [audio, video, plain] = [sender(), sender(900_000), sender()];
    const pc = connection(null, ["audio", audio], ["video", video], ["video", plain]);
    await limitSenders(pc, { audio: 32, video: null });
    expect(audio.setParameters).toHaveBeenCalledWith({ encodings: [{ maxBitrate: 32_000 }] });
    expect(video.setParameters).toHaveBeenCalledWith({ encodings: [{}] });
    expect(plain.setParameters).not.toHaveBeenCalled();
  });

  test.each([
    [null, 16, 16_000],
    [32, 16, 16_000],
    [16, 32, 16_000],
    [32, null, 32_000],
  ])("own limit %j and the other side's %j hold it to %j bit/s", async (own, theirs, maxBitrate) => {
    const audio = sender();
    const pc = connection(withLimits(offer, { audio: theirs, video: null }), ["audio", audio]);
    await limitSenders(pc, { audio: own, video: null });
    expect(audio.setParameters).toHaveBeenCalledWith({ encodings: [{ maxBitrate }] });
  });
});
