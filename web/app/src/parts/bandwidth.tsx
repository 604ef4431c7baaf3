// Limits for audio and video, and beside each what is measured in both directions.
// A limit sets both: b=AS in the description tells the other side, setParameters holds oneself.

import type { Call, CallStats } from "@peerline/sdk";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { measured } from "../i18n/format";
import { t } from "../i18n/language";
import { useLatestSample, type Samples } from "../state/samples";

type Kind = "audio" | "video";

export function Bandwidth({ call, samples }: { call: Call; samples: Samples }) {
  const latest = useLatestSample(samples);
  const id = useId();
  return (
    <section class="panel" aria-labelledby={id}>
      <h2 id={id}>{t("bandwidth.title")}</h2>
      <div class="bandwidth">
        {(["video", "audio"] as const).map((kind) => (
          <Limit key={kind} kind={kind} call={call} latest={latest} />
        ))}
      </div>
      <p class="hint">{t("bandwidth.hint")}</p>
    </section>
  );
}

function Limit({ kind, call, latest }: { kind: Kind; call: Call; latest: CallStats | null }) {
  const id = useId();
  const field = useLimit(call, kind);
  return (
    <div class="limit">
      <label for={id}>{t(`bandwidth.${kind}`)}</label>
      <input
        id={id}
        type="number"
        inputMode="numeric"
        min={MIN}
        max={MAX}
        step={1}
        placeholder={t("bandwidth.none")}
        value={field.draft}
        aria-invalid={field.isWrong}
        onInput={(event) => field.type(event.currentTarget)}
        onChange={(event) => field.commit(event.currentTarget)}
      />
      <dl class="measured">
        <div>
          <dt>{t("bandwidth.in")}</dt>
          <dd data-measured={`${kind}-in`}>{measured(latest?.[kind].in.bitrateKbps, "kbit/s")}</dd>
        </div>
        <div>
          <dt>{t("bandwidth.out")}</dt>
          <dd data-measured={`${kind}-out`}>{measured(latest?.[kind].out.bitrateKbps, "kbit/s")}</dd>
        </div>
      </dl>
    </div>
  );
}

const MIN = 1;
const MAX = 100_000;
/** Somebody who types and pauses this long has typed the number. */
const PAUSE_MS = 900;

/** The number as it is typed, and the limit as it is set: Enter, leaving the field or a pause sets it, nothing means no limit. */
function useLimit(call: Call, kind: Kind) {
  const set = call.limits[kind];
  const [draft, setDraft] = useState(set === null ? "" : String(set));
  const [isWrong, setWrong] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => setDraft(set === null ? "" : String(set)), [set]);
  useEffect(() => () => clearTimeout(timer.current), []);

  const commit = (input: HTMLInputElement) => {
    clearTimeout(timer.current);
    const limit = readLimit(input.value, input.validity.badInput);
    setWrong(limit === undefined);
    if (limit !== undefined && limit !== call.limits[kind]) call.setLimits({ [kind]: limit });
  };
  const type = (input: HTMLInputElement) => {
    setDraft(input.value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => commit(input), PAUSE_MS);
  };
  return { draft, isWrong, commit, type };
}

/** A whole number of kbit/s, null for no limit, undefined for something else. */
export function readLimit(text: string, isBad = false): number | null | undefined {
  if (isBad) return undefined;
  if (text.trim() === "") return null;
  const limit = Number(text);
  return Number.isInteger(limit) && limit >= MIN && limit <= MAX ? limit : undefined;
}
