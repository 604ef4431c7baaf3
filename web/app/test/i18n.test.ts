// Both languages say everything, and say it with the same blanks to fill in.

import { STEP_KINDS } from "../../sdk/src/types";
import { describe, expect, it } from "vitest";
import en from "../src/i18n/en.json";
import { firstLanguage } from "../src/i18n/language";
import zh from "../src/i18n/zh.json";

const blanks = (words: string) => [...words.matchAll(/\{\w+\}/g)].map(String).sort();

describe("the words of the page", () => {
  it("have the same keys in both languages", () => {
    expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
  });

  it("are never empty", () => {
    for (const words of [en, zh])
      for (const [key, text] of Object.entries(words)) expect(text.trim(), key).not.toBe("");
  });

  it("have the same blanks in both languages", () => {
    for (const key of Object.keys(en) as (keyof typeof en)[])
      expect(blanks(zh[key]), key).toEqual(blanks(en[key]));
  });

  it.each(STEP_KINDS)("name and explain the step %s", (kind) => {
    expect(en).toHaveProperty([`step.${kind}`]);
    expect(en).toHaveProperty([`step.${kind}.why`]);
  });

  it("read exactly as agreed where others rely on them", () => {
    expect([
      en["status.calling"],
      en["status.ringing"],
      en["status.connected"],
      en["status.busy"],
      en["status.declined"],
      en["status.noAnswer"],
      en["status.ended"],
      en["status.reconnecting"],
      en["status.notAvailable"],
    ]).toEqual([
      "Calling…",
      "Ringing…",
      "Connected",
      "Busy",
      "Declined",
      "No answer",
      "Call ended",
      "Reconnecting…",
      "Not available",
    ]);
  });
});

describe("the first language", () => {
  it("is what the address asks for, whatever was chosen before", () => {
    expect(firstLanguage("en", "zh", ["zh-CN"])).toBe("en");
  });

  it("is what was chosen before, whatever the browser speaks", () => {
    expect(firstLanguage(null, "zh", ["en-US"])).toBe("zh");
  });

  it("is the first of the browser's that we speak", () => {
    expect(firstLanguage(null, null, ["fr-FR", "zh-TW", "en"])).toBe("zh");
    expect(firstLanguage(null, "tlh", ["de", "en-GB"])).toBe("en");
  });

  it("is English where we speak none of the browser's", () => {
    expect(firstLanguage(null, null, ["fr", "zhx"])).toBe("en");
  });
});
