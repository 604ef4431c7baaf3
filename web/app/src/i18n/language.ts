// The page's words, in English and simplified Chinese. The root component draws anew when the language changes.

import { memory } from "../state/memory";
import { Observable } from "../state/observable";
import en from "./en.json";
import zh from "./zh.json";

export type Lang = "en" | "zh";
export type WordKey = keyof typeof en;

const WORDS: Record<Lang, Record<WordKey, string>> = { en, zh };

class Language extends Observable {
  current: Lang = "en";

  use(lang: Lang): void {
    this.current = lang;
    document.documentElement.lang = lang;
    this.changed();
  }

  /** A person's choice: remembered, and the address no longer says otherwise. */
  choose(lang: Lang): void {
    memory.setLang(lang);
    const address = new URL(location.href);
    if (address.searchParams.has("lang")) {
      address.searchParams.set("lang", lang);
      history.replaceState(history.state, "", address);
    }
    this.use(lang);
  }
}

export const language = new Language();

/** What the address asks for, else what was chosen before, else the first of the browser's languages that we speak. */
export function firstLanguage(asked: Lang | null, chosen: string | null, browser: readonly string[]): Lang {
  if (asked) return asked;
  if (chosen === "en" || chosen === "zh") return chosen;
  for (const tag of browser) {
    if (/^zh\b/i.test(tag)) return "zh";
    if (/^en\b/i.test(tag)) return "en";
  }
  return "en";
}

/** The words for `key`, with each {name} filled in. */
export function t(key: WordKey, values: Record<string, string | number> = {}): string {
  return WORDS[language.current][key].replace(/\{(\w+)\}/g, (whole, name: string) =>
    String(values[name] ?? whole),
  );
}

/** The words for a key made at run time, or null if there are none. */
export function maybe(key: string, values?: Record<string, string | number>): string | null {
  return Object.hasOwn(en, key) ? t(key as WordKey, values) : null;
}
