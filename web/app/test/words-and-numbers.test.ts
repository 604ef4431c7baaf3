// How the page reads and writes numbers, times, names and addresses.

import { describe, expect, it } from "vitest";
import { clock, measured, size } from "../src/i18n/format";
import { initialsOf } from "../src/parts/avatar";
import { readLimit } from "../src/parts/bandwidth";
import { sparklinePath } from "../src/parts/sparkline";
import { readOptions } from "../src/state/options";
import { mediaProblem, problemOf, secureAddress } from "../src/state/problem";

describe("a bandwidth limit", () => {
  it("is a whole number of kbit/s", () => {
    expect(readLimit("300")).toBe(300);
    expect(readLimit(" 64 ")).toBe(64);
  });

  it("is taken away by an empty field", () => {
    expect(readLimit("")).toBeNull();
  });

  it.each(["0", "-5", "1.5", "abc", "1e9"])("is not %s", (text) => {
    expect(readLimit(text)).toBeUndefined();
  });

  it("is not what the browser could not read as a number and reports as empty", () => {
    expect(readLimit("", true)).toBeUndefined();
  });
});

describe("what people read", () => {
  it("has lengths as a clock shows them", () => {
    expect([0, 7_400, 754_000, 3_723_000].map((length) => clock(length))).toEqual([
      "0:00",
      "0:07",
      "12:34",
      "1:02:03",
    ]);
  });

  it("has sizes in the unit that fits", () => {
    expect([0, 999, 1000, 4_812_345, 2e9].map(size)).toEqual(["0 B", "999 B", "1 KB", "4.8 MB", "2 GB"]);
  });

  it("has a dash for what was not measured", () => {
    expect(measured(null, "ms")).toBe("–");
    expect(measured(Number.NaN, "ms")).toBe("–");
    expect(measured(24.26, "ms", 1)).toBe("24.3 ms");
  });

  it("has initials of any name", () => {
    expect(["Ann Lee", "bob", "王小明", "👩‍🚀 x", "Jean-Luc"].map(initialsOf)).toEqual([
      "AL",
      "B",
      "王",
      "👩X",
      "JL",
    ]);
  });
});

describe("a sparkline", () => {
  it("ends at the right edge with the newest value", () => {
    expect(sparklinePath([1, 2])?.path).toBe("M 118 14 L 120 2");
  });

  it("needs two measurements, and bridges what is missing", () => {
    expect(sparklinePath([null, 3])).toBeNull();
    expect(sparklinePath([1, null, 1])?.path.match(/[ML]/g)).toEqual(["M", "L"]);
  });

  it("draws a line of zeros at the bottom", () => {
    expect(sparklinePath([0, 0])?.path).toBe("M 118 26 L 120 26");
  });
});

describe("the page's options", () => {
  it("are read from the address", () => {
    expect(readOptions("?transport=websocket&ice=relay&lang=zh")).toEqual({
      transport: "websocket",
      ice: "relay",
      lang: "zh",
    });
  });

  it("count as not given if they are something else", () => {
    expect(readOptions("?transport=carrier-pigeon&ice=1&lang=fr")).toEqual({
      transport: "auto",
      ice: "all",
      lang: null,
    });
  });
});

describe("a problem", () => {
  it("keeps its code, or else the error's name", () => {
    expect(problemOf(Object.assign(new Error("no"), { code: "taken" }))).toEqual({
      code: "taken",
      detail: "no",
    });
    expect(problemOf(new TypeError("oops"))).toEqual({ code: "TypeError", detail: "oops" });
    expect(problemOf("what")).toEqual({ code: "error", detail: "what" });
  });

  it.each([
    ["NotAllowedError", true, "media_refused"],
    ["NotFoundError", true, "media_missing"],
    ["NotReadableError", true, "media_in_use"],
    ["TypeError", true, "media_failed"],
    ["NotSupportedError", false, "media_insecure"],
  ])("with camera or microphone: %s", (name, isSecure, code) => {
    expect(mediaProblem(new DOMException("", name), isSecure).code).toBe(code);
  });

  it("of an insecure page is solved on the same port over HTTPS", () => {
    expect(secureAddress("http://192.168.1.5:8080/?lang=zh")).toBe("https://192.168.1.5:8080/?lang=zh");
  });
});
