// The report for somebody who helps. Addresses are private: they are in it only where one ticks that.

import { useEffect, useId, useState } from "preact/hooks";
import type { Examination } from "../../doctor/examination";
import { report } from "../../doctor/report";
import { t } from "../../i18n/language";
import { Icon } from "../icon";

const SAID_MS = 2500;

export function CopyReport({ examination, isReady }: { examination: Examination; isReady: boolean }) {
  const id = useId();
  const [showsAddresses, setShowsAddresses] = useState(false);
  const [isCopied, setCopied] = useState(false);
  // Where the browser gives no clipboard (plain HTTP), the text stands there to be copied by hand.
  const [shown, setShown] = useState<string | null>(null);

  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), SAID_MS);
    return () => clearTimeout(timer);
  }, [isCopied]);

  const copy = async () => {
    const made = report(examination, showsAddresses, navigator.userAgent);
    try {
      await navigator.clipboard.writeText(made);
      setCopied(true);
      setShown(null);
    } catch {
      setShown(made);
    }
  };

  return (
    <div class="copy-report">
      <button type="button" class="button-soft" disabled={!isReady} onClick={() => void copy()}>
        <Icon name={isCopied ? "check" : "copy"} />
        <span aria-live="polite">{t(isCopied ? "doctor.copied" : "doctor.copy")}</span>
      </button>
      <label class="filter-choice" for={id}>
        <input
          id={id}
          type="checkbox"
          checked={showsAddresses}
          onChange={(event) => setShowsAddresses(event.currentTarget.checked)}
        />
        {t("doctor.withAddresses")}
      </label>
      {shown && <textarea class="report" readOnly rows={12} aria-label={t("doctor.report")} value={shown} />}
    </div>
  );
}
