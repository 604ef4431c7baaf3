// The page /doctor: the checks as far as a browser can make them, the picture of the path, and a report to pass on.

import { useEffect, useState } from "preact/hooks";
import { Examination } from "../doctor/examination";
import { doctorIdentity } from "../doctor/identity";
import { Patient } from "../doctor/patient";
import { language, t } from "../i18n/language";
import { CheckRow } from "../parts/doctor/check-row";
import { CopyReport } from "../parts/doctor/copy-report";
import { PathPicture } from "../parts/doctor/path-picture";
import { Logo } from "../parts/icon";
import { LanguagePicker } from "../parts/language-picker";
import { memory } from "../state/memory";
import { useObservable } from "../state/observable";
import "../styles/doctor.css";

/** A new visit to the server that this page came from. */
export const newExamination = () =>
  new Examination(new Patient(new URL(".", location.href), doctorIdentity(), memory.token()));

export function DoctorPage({ make = newExamination }: { make?: () => Examination }) {
  useObservable(language);
  const [examination, setExamination] = useState(make);
  useObservable(examination);
  useEffect(() => void examination.run(), [examination]);
  useEffect(() => void (document.title = `${t("doctor.title")} · Peerline`));
  const { verdict, done, rows, patient } = examination;

  return (
    <div class="shell shell-doctor">
      <a class="skip" href="#main">
        {t("skip")}
      </a>
      <header class="top">
        <a class="brand" href={`./${location.search}`} aria-label={t("doctor.back")}>
          <Logo />
          <span class="brand-name">Peerline</span>
        </a>
        <p role="status" class={`status doctor-verdict-${verdict}`}>
          {verdict === "running"
            ? t("doctor.progress", { done, all: rows.length })
            : t(`doctor.verdict.${verdict}`)}
        </p>
        <div class="top-tools">
          <LanguagePicker />
        </div>
      </header>
      <main id="main" tabIndex={-1} class="doctor">
        <h1>{t("doctor.title")}</h1>
        <p class="lead">{t("doctor.lead")}</p>
        <PathPicture patient={patient} />
        <ol class="checks" role="list" aria-label={t("doctor.checks")}>
          {rows.map((row) => (
            <CheckRow key={row.check.name} row={row} />
          ))}
        </ol>
        <div class="doctor-tools">
          <button
            type="button"
            class="button-main"
            disabled={verdict === "running"}
            onClick={() => setExamination(make())}
          >
            {t("doctor.again")}
          </button>
          <CopyReport examination={examination} isReady={verdict !== "running"} />
        </div>
        <p class="hint">
          {t("doctor.command", { command: `peerline doctor --server ${patient.base.origin}` })}
        </p>
      </main>
    </div>
  );
}
