// One check: its mark, what came out, the line that fixes it, and what was seen, which opens.

import type { Row, State } from "../../doctor/check";
import { text } from "../../doctor/report";
import { t } from "../../i18n/language";
import { useObservable } from "../../state/observable";

const SHAPES: Record<State, string> = {
  idle: "M12 12h.01",
  running: "M12 4a8 8 0 1 1-8 8",
  ok: "M6 12.5l4.2 4.2L18 8",
  warning: "M12 6v7.5M12 17.4v.2",
  failed: "M7.5 7.5l9 9M16.5 7.5l-9 9",
  unknown: "M7.5 12h9",
};

export function CheckRow({ row }: { row: Row }) {
  useObservable(row);
  const { check, state, outcome, log } = row;
  const title = (
    <>
      <svg class="check-mark" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
        <path d={SHAPES[state]} />
      </svg>
      <span class="check-words">
        <span class="check-title">{t(`doctor.check.${check.name}`)}</span>{" "}
        <span class="check-state">{t(`doctor.state.${state}`)}</span>{" "}
        {outcome && <span class="check-summary">{text(outcome.summary)}</span>}
      </span>
    </>
  );
  return (
    <li class={`check check-${state}`} data-check={check.name} data-state={state}>
      {log.length > 0 ? (
        <details>
          <summary class="check-head">{title}</summary>
          <ul class="check-log" role="list">
            {log.map((line, number) => (
              <li key={number}>{text(line)}</li>
            ))}
          </ul>
        </details>
      ) : (
        <div class="check-head">{title}</div>
      )}
      {outcome?.fix && (
        <p class="check-fix">
          <span class="unseen">{t("doctor.fix")} </span>
          <code>{text(outcome.fix)}</code>
        </p>
      )}
    </li>
  );
}
