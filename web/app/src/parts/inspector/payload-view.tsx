// What was in a step, as it was; a description on wish line by line with what each line means.

import { useEffect, useId, useState } from "preact/hooks";
import { language, t } from "../../i18n/language";
import { isSdp, payloadLines } from "./payload";

export interface Explaining {
  isExplained: boolean;
  onExplain: (isExplained: boolean) => void;
}

export function Payload({ payload, isExplained, onExplain }: { payload: unknown } & Explaining) {
  const checkbox = useId();
  const canBeExplained = isSdp(payload);
  return (
    <>
      {canBeExplained && (
        <label class="filter-choice" for={checkbox}>
          <input
            id={checkbox}
            type="checkbox"
            checked={isExplained}
            onChange={(event) => onExplain(event.currentTarget.checked)}
          />
          {t("inspector.explain")}
        </label>
      )}
      {canBeExplained && isExplained ? <Explained payload={payload} /> : <Plain payload={payload} />}
    </>
  );
}

function Plain({ payload }: { payload: unknown }) {
  return (
    <pre class="payload" tabIndex={0} dir="ltr" aria-label={t("inspector.payload")}>
      {payloadLines(payload).map((line, index) => (
        <span key={index} class={`payload-line payload-${line.tone}`}>
          {line.text}
          {"\n"}
        </span>
      ))}
    </pre>
  );
}

function Explained({ payload }: { payload: unknown }) {
  const explain = useExplain();
  if (!explain) return <Plain payload={payload} />;
  const lines = payloadLines(payload);
  const explanations = explain(
    lines.map((line) => line.text),
    language.current,
  );
  return (
    <dl class="payload explained" tabIndex={0} dir="ltr" aria-label={t("inspector.payload")}>
      {explanations.map((one, index) => (
        <div key={index} data-row={one.row}>
          <dt class={`payload-line payload-${lines[index]?.tone ?? "plain"}`}>{one.line}</dt>
          <dd>
            {one.words} <span class="rfc">{one.rfc}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

type Explain = (typeof import("./explain"))["explain"];

/** The words are loaded when somebody asks for them: they are as large as a quarter of the page. */
function useExplain(): Explain | null {
  const [explain, setExplain] = useState<Explain | null>(null);
  useEffect(() => {
    // Out of reach, the lines stay as they are.
    import("./explain").then(
      (module) => setExplain(() => module.explain),
      () => undefined,
    );
  }, []);
  return explain;
}
