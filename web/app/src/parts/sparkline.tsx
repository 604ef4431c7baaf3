// A small drawing of how a number went over the last minute. The number itself stands beside it, so it is hidden from screen readers.

const WIDTH = 120;
const HEIGHT = 28;
const SLOTS = 60;

export function Sparkline({ values }: { values: (number | null)[] }) {
  const line = sparklinePath(values);
  if (!line) return <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true" />;
  return (
    <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <path class="sparkline-area" d={`${line.path} L ${line.end} ${HEIGHT} L ${line.start} ${HEIGHT} Z`} />
      <path class="sparkline-line" d={line.path} />
    </svg>
  );
}

/** The newest value stands at the right edge, the scale begins at zero; what was not measured is bridged. */
export function sparklinePath(
  values: (number | null)[],
): { path: string; start: number; end: number } | null {
  const step = WIDTH / (SLOTS - 1);
  const shown = values.slice(-SLOTS);
  const highest = Math.max(...shown.map((value) => value ?? 0), Number.MIN_VALUE);
  const points: [number, number][] = [];
  shown.forEach((value, index) => {
    if (value === null) return;
    const x = WIDTH - (shown.length - 1 - index) * step;
    points.push([round(x), round(HEIGHT - 2 - (value / highest) * (HEIGHT - 4))]);
  });
  if (points.length < 2) return null;
  return {
    path: points.map(([x, y], index) => `${index ? "L" : "M"} ${x} ${y}`).join(" "),
    start: points[0]![0],
    end: points.at(-1)![0],
  };
}

const round = (value: number) => Math.round(value * 10) / 10;
