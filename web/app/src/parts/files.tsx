// The files of a call, going and coming.

import type { Call } from "@peerline/sdk";
import { useId } from "preact/hooks";
import { t } from "../i18n/language";
import { FileRow } from "./file-row";

export function Files({ call }: { call: Call }) {
  const id = useId();
  if (call.files.length === 0) return null;
  return (
    <section class="panel">
      <h2 id={id}>{t("files.title")}</h2>
      <ul class="files" role="list" aria-labelledby={id}>
        {call.files.map((file) => (
          <FileRow key={file.id} file={file} />
        ))}
      </ul>
    </section>
  );
}
