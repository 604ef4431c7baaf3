// Shows or hides the candidates of each kind: there are many, and they drown the rest.

import type { Step } from "@peerline/sdk";
import { t } from "../../i18n/language";
import { CANDIDATE_LABELS, type CandidateLabel } from "./layout";

interface Props {
  steps: Step[];
  hidden: ReadonlySet<CandidateLabel>;
  onChange: (hidden: ReadonlySet<CandidateLabel>) => void;
}

export function CandidateFilter({ steps, hidden, onChange }: Props) {
  const toggle = (label: CandidateLabel) => {
    const next = new Set(hidden);
    if (!next.delete(label)) next.add(label);
    onChange(next);
  };
  return (
    <fieldset class="filter">
      <legend>{t("inspector.candidates")}</legend>
      {CANDIDATE_LABELS.map((label) => (
        <label key={label} class="filter-choice">
          <input type="checkbox" checked={!hidden.has(label)} onChange={() => toggle(label)} />
          <span class={`candidate candidate-${label}`}>{t(`inspector.candidate.${label}`)}</span>
          <span class="filter-count">{steps.filter((step) => step.candidate?.label === label).length}</span>
        </label>
      ))}
    </fieldset>
  );
}
