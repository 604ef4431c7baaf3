// What each line of a description means: explanations.json, which `peerline sdp explain` reads too (sdp/explain.py).

import type { Lang } from "../../i18n/language";
import table from "../../../../../src/peerline/sdp/explanations.json";

export interface Explanation {
  line: string;
  /** The name of the row that fits. */
  row: string;
  rfc: string;
  words: string;
}

type Words = Record<string, Partial<Record<string, Record<Lang, string>>>>;
type Codecs = ReadonlyMap<string, string>;

const OPTIONAL = /\[\[(.*?)\]\]/g;
const PLACE = /\{(\w+)(?:\|(each:)?([\w-]+))?\}/g;
const words: Words = table.words;
const rows = table.lines.map((row) => ({ ...row, pattern: new RegExp(`^(?:${row.line})$`, "s") }));

/** One explanation for each line, whatever it is. */
export function explain(lines: readonly string[], lang: Lang): Explanation[] {
  let codecs: Codecs = new Map();
  return lines.map((line, index) => {
    if (index === 0 || line.startsWith("m=")) codecs = codecsFrom(lines, index);
    return explainLine(line, codecs, lang);
  });
}

/** The names of the codecs of the section that begins at `start`; parameters may come before the name does. */
function codecsFrom(lines: readonly string[], start: number): Codecs {
  const codecs = new Map(Object.entries(table.static));
  for (let at = start; at < lines.length && (at === start || !lines[at]?.startsWith("m=")); at++) {
    const found = /^a=rtpmap:([0-9]+) ([^/ ]+)\//.exec(lines[at] ?? "");
    if (found) codecs.set(found[1] as string, found[2] as string);
  }
  return codecs;
}

function explainLine(line: string, codecs: Codecs, lang: Lang): Explanation {
  for (const row of rows) {
    const match = row.pattern.exec(line);
    if (match)
      return { line, row: row.id, rfc: row.rfc, words: fill(row[lang], match.groups ?? {}, codecs, lang) };
  }
  throw new Error("the last row fits everything");
}

function fill(text: string, groups: Record<string, string>, codecs: Codecs, lang: Lang): string {
  const isFull = (part: string) => [...part.matchAll(PLACE)].every((place) => groups[place[1] as string]);
  return text
    .replace(OPTIONAL, (_, part: string) => (isFull(part) ? part : ""))
    .replace(PLACE, (_, group: string, each: string | undefined, kind: string | undefined) => {
      const raw = groups[group] ?? "";
      if (kind === undefined) return raw;
      if (kind === "codec" && group !== "codec") return codec(raw, codecs);
      if (kind === "codecs")
        return split(raw, / /)
          .map((one) => codec(one, codecs))
          .join(", ");
      if (each)
        return split(raw, /[; ]+/)
          .map((one) => piece(one, kind, lang))
          .join(table.joint[lang]);
      return word(raw, kind, lang);
    });
}

const split = (text: string, by: RegExp) => text.split(by).filter(Boolean);

function codec(payloadType: string, codecs: Codecs): string {
  const name = codecs.get(payloadType);
  return name === undefined ? payloadType : `${name} (${payloadType})`;
}

function piece(text: string, kind: string, lang: Lang): string {
  const equals = text.indexOf("=");
  const [name, value] = equals < 0 ? [text, ""] : [text.slice(0, equals), text.slice(equals + 1)];
  return entry(kind, name)?.[lang].replaceAll("{}", () => value) ?? text;
}

function word(value: string, kind: string, lang: Lang): string {
  return (entry(kind, value) ?? entry(kind, "*"))?.[lang].replaceAll("{}", () => value) ?? value;
}

function entry(kind: string, name: string) {
  const found = words[kind] ?? {};
  return Object.hasOwn(found, name.toLowerCase()) ? found[name.toLowerCase()] : undefined;
}
