// Numbers, times and sizes as people of the chosen language write them.

import { language, t } from "./language";

const minute = 60_000;
const day = 24 * 60 * minute;

/** A moment in the past: the time if it was today, the day as well otherwise. */
export function when(at: number, now = Date.now()): string {
  const isToday = new Date(at).toDateString() === new Date(now).toDateString();
  const time: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit" };
  if (isToday) return new Intl.DateTimeFormat(language.current, time).format(at);
  const date: Intl.DateTimeFormatOptions =
    now - at < 6 * day ? { weekday: "short" } : { month: "short", day: "numeric" };
  return new Intl.DateTimeFormat(language.current, { ...date, ...time }).format(at);
}

/** A length as a clock shows it: 0:07, 12:34, 1:02:03. */
export function clock(length_ms: number): string {
  const seconds = Math.max(0, Math.floor(length_ms / 1000));
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const shown = parts[0] ? parts : parts.slice(1);
  return shown.map((part, index) => (index ? String(part).padStart(2, "0") : String(part))).join(":");
}

export function size(bytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${number(bytes / 1000 ** power, power ? 1 : 0)} ${units[power]}`;
}

export function number(value: number, digits = 0): string {
  return new Intl.NumberFormat(language.current, {
    maximumFractionDigits: digits,
    minimumFractionDigits: 0,
  }).format(value);
}

/** A measured value with its unit, or a dash where nothing was measured. */
export function measured(
  value: number | null | undefined,
  unit: "ms" | "%" | "kbit/s" | "fps",
  digits = 0,
): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return t("none");
  return `${number(value, digits)} ${unit}`;
}
