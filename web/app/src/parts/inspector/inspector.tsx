// The inspector: every step of the call on both sides, as a sequence diagram that grows while one watches.

import type { Call, Step } from "@peerline/sdk";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { t } from "../../i18n/language";
import { useSubscription } from "../../state/observable";
import { PanelHead } from "../panel-head";
import { CandidateFilter } from "./candidate-filter";
import { Lanes } from "./lanes";
import { passes, type CandidateLabel } from "./layout";
import { Legend } from "./legend";
import { inOrder } from "./order";
import { StepRow } from "./step-row";

export function Inspector({ id, call, onClose }: { id: string; call: Call; onClose: () => void }) {
  const title = useId();
  const steps = useSteps(call);
  const [hidden, setHidden] = useState<ReadonlySet<CandidateLabel>>(new Set());
  const [opened, setOpened] = useState<number | null>(null);
  const [isExplained, setExplained] = useState(false);
  const diagram = useStickToEnd(steps.length);
  const shown = steps.filter((step) => passes(step, hidden));

  return (
    <section class="panel inspector" id={id} aria-labelledby={title}>
      <PanelHead id={title} title={t("inspector.title")} onClose={onClose} />
      <p class="hint inspector-lead">{t("inspector.lead", { name: call.peer.n })}</p>
      <div class="inspector-tools">
        <Legend />
        <CandidateFilter steps={steps} hidden={hidden} onChange={setHidden} />
      </div>
      <div class="diagram" ref={diagram}>
        <Lanes peer={call.peer.n} />
        <ol class="steps" role="list" aria-label={t("inspector.steps")}>
          {shown.map((step) => (
            <StepRow
              key={step.n}
              step={step}
              peer={call.peer.n}
              isOpen={opened === step.n}
              onToggle={() => setOpened(opened === step.n ? null : step.n)}
              explaining={{ isExplained, onExplain: setExplained }}
            />
          ))}
        </ol>
        {steps.length === 0 && <p class="hint inspector-empty">{t("inspector.empty")}</p>}
      </div>
    </section>
  );
}

function useSteps(call: Call): Step[] {
  useSubscription((redraw) => call.on("step", redraw), call);
  return inOrder(call.steps);
}

/** Somebody who has scrolled to the newest step goes on seeing the newest one; anybody else is left where they read. */
function useStickToEnd(count: number) {
  const diagram = useRef<HTMLDivElement>(null);
  const end = useRef(0);
  useLayoutEffect(() => {
    // On a phone the diagram scrolls by itself, on a large screen the panels scroll together.
    const box = scrolls(diagram.current) ? diagram.current : diagram.current?.closest(".panels");
    if (!box) return;
    const wasAtEnd = box.scrollTop > 0 && box.scrollTop + box.clientHeight >= end.current - 8;
    end.current = box.scrollHeight;
    if (wasAtEnd) box.scrollTop = box.scrollHeight;
  }, [count]);
  return diagram;
}

function scrolls(element: Element | null): boolean {
  return element !== null && getComputedStyle(element).overflowY !== "visible";
}
