// A person without a picture: initials on a colour that is always the same for the same name.

const HUES = [172, 205, 232, 262, 292, 326, 352, 18, 38, 96, 142];

export function hueOf(name: string): number {
  let sum = 7;
  for (const letter of name) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 100_003;
  return HUES[sum % HUES.length]!;
}

/** The first letters of the first and the last word; one character where words are not spaced (中文). */
export function initialsOf(name: string): string {
  const words = name.split(/[\s._-]+/).filter(Boolean);
  const first = [...(words[0] ?? "?")][0]!;
  const last = words.length > 1 ? [...words.at(-1)!][0]! : "";
  return (first + last).toLocaleUpperCase();
}

export function Avatar({ name, large = false }: { name: string; large?: boolean }) {
  return (
    <span
      class={large ? "avatar avatar-large" : "avatar"}
      style={{ "--hue": String(hueOf(name)) }}
      aria-hidden="true"
    >
      {initialsOf(name)}
    </span>
  );
}
