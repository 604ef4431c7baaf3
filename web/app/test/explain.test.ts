// What each line of SDP means: the page says the same as `peerline sdp explain`.

import { describe, expect, it } from "vitest";
import expected from "../../../tests/data/sdp/explained.json";
import { explain } from "../src/parts/inspector/explain";

// The examples are several texts one after the other; each begins with v=0 but the last, which is odd.
const starts = expected.flatMap((one, index) =>
  one.line === "v=0" || one.line === "nonsense" ? [index] : [],
);
const texts = starts.map((start, index) => expected.slice(start, starts[index + 1]));

describe("an explanation", () => {
  it.each(["en", "zh"] as const)("is the one that the command gives, in %s", (lang) => {
    for (const text of texts) {
      const found = explain(
        text.map((one) => one.line),
        lang,
      );
      expect(found).toEqual(
        text.map((one) => ({ line: one.line, row: one.row, rfc: one.rfc, words: one[lang] })),
      );
    }
  });

  it("is there for real descriptions and for odd lines", () => {
    expect(texts).toHaveLength(3);
    expect(new Set(expected.map((one) => one.row)).size).toBeGreaterThan(40);
  });

  it("names a codec whose name comes after its parameters", () => {
    const [, parameters] = explain(
      ["m=audio 9 RTP/AVP 96", "a=fmtp:96 apt=1", "a=rtpmap:96 rtx/90000"],
      "en",
    );
    expect(parameters?.words).toContain("rtx (96)");
  });
});
