// One step: its time, its place in the diagram, and, opened, what it means and what was in it.

import type { Step } from "@peerline/sdk";
import { useEffect, useId, useRef } from "preact/hooks";
import { maybe, t } from "../../i18n/language";
import { drawingOf, familyOf, laneCentre, routeOf, stepTime, type Drawing } from "./layout";
import { payloadText } from "./payload";
import { Payload, type Explaining } from "./payload-view";

interface Props {
  step: Step;
  peer: string;
  isOpen: boolean;
  onToggle: () => void;
  explaining: Explaining;
}

export function StepRow({ step, peer, isOpen, onToggle, explaining }: Props) {
  const detail = useId();
  const drawing = drawingOf(step);
  const title = maybe(`step.${step.kind}`) ?? step.kind;
  return (
    <li
      class={`step family-${familyOf(step.kind)}${isOpen ? " is-open" : ""}`}
      data-step={step.kind}
      data-side={step.side}
      data-n={step.n}
    >
      <button
        type="button"
        class="step-row"
        aria-expanded={isOpen}
        aria-controls={isOpen ? detail : undefined}
        aria-label={spoken(step, drawing, title, peer)}
        onClick={onToggle}
      >
        <span class="step-time">{stepTime(step.at)}</span>
        <span class="step-lanes">
          {drawing.shape === "arrow" ? (
            <Arrow drawing={drawing} step={step} title={title} />
          ) : (
            <span class={`step-place step-place-${drawing.lane}`}>
              <span class="step-label">
                <StepTitle step={step} title={title} />
              </span>
            </span>
          )}
        </span>
      </button>
      {isOpen && <Detail id={detail} step={step} peer={peer} explaining={explaining} />}
    </li>
  );
}

function Arrow({
  drawing,
  step,
  title,
}: {
  drawing: Drawing & { shape: "arrow" };
  step: Step;
  title: string;
}) {
  const left = laneCentre(drawing.left);
  const style = { left: `${left}%`, width: `${laneCentre(drawing.right) - left}%` };
  return (
    <span class={`arrow arrow-${drawing.points}`} style={style}>
      <span class="arrow-text">
        <StepTitle step={step} title={title} />
      </span>
    </span>
  );
}

function StepTitle({ step, title }: { step: Step; title: string }) {
  const { candidate } = step;
  const more = briefly(step);
  return (
    <>
      <span class="step-title">{title}</span>
      {more && <span class="step-more">{more}</span>}
      {candidate && (
        <span class={`candidate candidate-${candidate.label}`}>
          {t(`inspector.candidate.${candidate.label}`)}
        </span>
      )}
    </>
  );
}

function Detail({
  id,
  step,
  peer,
  explaining,
}: { id: string } & Pick<Props, "step" | "peer" | "explaining">) {
  const why = maybe(`step.${step.kind}.why`, { name: peer });
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.scrollIntoView({ block: "nearest" }), []);
  return (
    <div class="step-detail" id={id} ref={box}>
      <p class="step-who">
        {t(step.side === "local" ? "inspector.byMe" : "inspector.byPeer", { name: peer })}
      </p>
      {why && <p class="step-why">{why}</p>}
      {step.candidate && (
        <p class="step-why">
          <span class={`candidate candidate-${step.candidate.label}`}>
            {t(`inspector.candidate.${step.candidate.label}`)}
          </span>{" "}
          {t(`inspector.candidate.${step.candidate.label}.why`)}
        </p>
      )}
      {payloadText(step.payload) ? (
        <Payload payload={step.payload} {...explaining} />
      ) : (
        <p class="hint">{t(step.side === "local" ? "inspector.noPayload" : "inspector.noRemotePayload")}</p>
      )}
    </div>
  );
}

/** What tells this step from others of its kind: a new state, audio or video, offer or answer. */
function briefly({ kind, payload }: Step): string | null {
  if (kind === "iceState" || kind === "connectionState") return typeof payload === "string" ? payload : null;
  const content = typeof payload === "object" && payload !== null ? (payload as Record<string, unknown>) : {};
  if (kind === "addTrack" || kind === "track") return typeof content.kind === "string" ? content.kind : null;
  if (kind === "setLocalDescription" || kind === "setRemoteDescription") {
    return typeof content.type === "string" ? content.type : null;
  }
  return null;
}

/** What a screen reader says for a row of the diagram. */
function spoken(step: Step, drawing: Drawing, title: string, peer: string): string {
  const name = (place: Step["from"]) => (place === "peer" ? peer : t(`inspector.lane.${place}`));
  const { from, to } = routeOf(step);
  const where =
    drawing.shape === "arrow" && drawing.points !== "both" ? `${name(from)} → ${name(to)}` : name(from);
  const more = [briefly(step), step.candidate && t(`inspector.candidate.${step.candidate.label}`)].filter(
    Boolean,
  );
  return [`${stepTime(step.at)} s, ${where}: ${title}`, ...more].join(", ");
}
