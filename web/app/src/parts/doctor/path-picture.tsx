// The picture of the path: boxes and the lines between them; beside each other, on a phone below each other.

import { boxes, described, type Box } from "../../doctor/path";
import type { Patient } from "../../doctor/patient";
import { t } from "../../i18n/language";
import { useMedia } from "../../state/media-query";

const BOX_WIDTH = 216;
const GAP = 60;
const HEAD = 34;
const LINE = 20;
const EDGE = 8;

export function PathPicture({ patient }: { patient: Patient }) {
  const isNarrow = useMedia("(max-width: 719px)");
  const path = boxes(patient, navigator.userAgent);
  const placed = place(path, isNarrow);
  return (
    <svg
      class="path-picture"
      role="img"
      aria-label={`${t("doctor.path")}: ${described(path)}`}
      viewBox={`0 0 ${placed.width} ${placed.height}`}
      style={{ maxWidth: `${placed.width}px` }}
    >
      {placed.arrows.map((d) => (
        <path key={d} class="path-arrow" d={d} />
      ))}
      {placed.boxes.map(({ box, x, y, height }) => (
        <g key={box.kind} class={`path-box path-${box.kind}`} transform={`translate(${x} ${y})`}>
          <rect width={BOX_WIDTH} height={height} rx="12" />
          <text class="path-title" x="14" y="23">
            {box.title}
          </text>
          {box.lines.map((line, number) => (
            <text key={number} x="14" y={HEAD + 14 + number * LINE}>
              {fitting(line)}
            </text>
          ))}
        </g>
      ))}
    </svg>
  );
}

interface Placed {
  width: number;
  height: number;
  boxes: { box: Box; x: number; y: number; height: number }[];
  arrows: string[];
}

/** Where everything stands. Exported for its tests. */
export function place(path: Box[], isNarrow: boolean): Placed {
  const heights = path.map(({ lines }) => HEAD + Math.max(1, lines.length) * LINE + 8);
  const tallest = Math.max(...heights);
  let at = EDGE;
  const placed = path.map((box, number) => {
    const height = isNarrow ? heights[number]! : tallest;
    const here = isNarrow ? { x: EDGE, y: at } : { x: at, y: EDGE };
    at += (isNarrow ? height : BOX_WIDTH) + (number < path.length - 1 ? (isNarrow ? GAP / 2 : GAP) : 0);
    return { box, height, ...here };
  });
  const arrows = placed.slice(0, -1).map(({ x, y, height }) => {
    if (isNarrow) {
      const middle = x + BOX_WIDTH / 2;
      const [from, to] = [y + height + 3, y + height + GAP / 2 - 4];
      return `M${middle} ${from}V${to}m-5 -6l5 6l5 -6`;
    }
    const [from, to] = [x + BOX_WIDTH + 5, x + BOX_WIDTH + GAP - 6];
    return `M${from} ${y + height / 2}H${to}m-7 -6l7 6l-7 6`;
  });
  return {
    width: isNarrow ? BOX_WIDTH + 2 * EDGE : at + EDGE,
    height: isNarrow ? at + EDGE : tallest + 2 * EDGE,
    boxes: placed,
    arrows,
  };
}

/** Long names of servers and IPv6 addresses are cut in the middle: their ends say most. */
function fitting(line: string): string {
  const most = 27;
  return line.length <= most ? line : `${line.slice(0, 14)}…${line.slice(-(most - 15))}`;
}
