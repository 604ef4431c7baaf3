// The report as text, for somebody who helps: without addresses unless they are wanted.

import { t, type WordKey } from "../i18n/language";
import type { Words } from "./check";
import type { Examination } from "./examination";

const MARKS = { idle: " ", running: "…", ok: "✓", warning: "!", failed: "✗", unknown: "·" } as const;

/** One sentence in the page's language; what is private is left out unless it may be seen. */
export function text({ key, values = {} }: Words, showsAddresses = true): string {
  if (showsAddresses) return t(key, values);
  const shown = Object.entries(values).map(([name, value]) => [
    name,
    name.startsWith("address") ? t("doctor.report.hidden") : value,
  ]);
  return t(key, Object.fromEntries(shown) as typeof values);
}

/** All that was found out. */
export function report(examination: Examination, showsAddresses: boolean, browser: string): string {
  const lines = [`Peerline /doctor · ${browser}`];
  if (showsAddresses) lines.push(examination.patient.base.href);
  for (const { check, state, outcome, log } of examination.rows) {
    const title = t(`doctor.check.${check.name}` satisfies WordKey);
    lines.push(
      "",
      `${MARKS[state]} ${title}: ${outcome ? text(outcome.summary, showsAddresses) : ""}`.trimEnd(),
    );
    lines.push(...log.map((line) => `    ${text(line, showsAddresses)}`));
    if (outcome?.fix) lines.push(`  → ${text(outcome.fix, showsAddresses)}`);
  }
  return lines.join("\n") + "\n";
}
