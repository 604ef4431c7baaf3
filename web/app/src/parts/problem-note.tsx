// What went wrong, what to do about it, and the code to look it up by.

import type { ComponentChildren } from "preact";
import { maybe, t } from "../i18n/language";
import type { Problem } from "../state/problem";
import { Icon } from "./icon";

interface Props {
  problem: Problem;
  onDismiss?: () => void;
  children?: ComponentChildren;
}

export function ProblemNote({ problem, onDismiss, children }: Props) {
  const words =
    maybe(`problem.${problem.code}`) ?? t("problem.other", { detail: problem.detail || problem.code });
  const hint = maybe(`problem.${problem.code}.hint`);
  return (
    <div class="note note-problem" role="alert">
      <Icon name="warning" />
      <div class="note-text">
        <p>
          <strong>{words}</strong>
        </p>
        {hint && <p>{hint}</p>}
        {children}
        <p class="note-code">{t("problem.code", { code: problem.code })}</p>
      </div>
      {onDismiss && (
        <button type="button" class="button-quiet" onClick={onDismiss} aria-label={t("dismiss")}>
          <Icon name="close" />
        </button>
      )}
    </div>
  );
}
