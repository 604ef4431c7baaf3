// After a call: why it ended, where that needs words, and the files that were received and can still be saved.

import type { Call } from "@peerline/sdk";
import { useState } from "preact/hooks";
import { maybe, t } from "../i18n/language";
import { FileRow } from "./file-row";
import { Icon } from "./icon";

export function EndNote({ call }: { call: Call }) {
  const [isClosed, setClosed] = useState(false);
  const why = maybe(`end.${call.direction}.${call.endReason}`, { name: call.peer.n });
  const received = call.files.filter((file) => !file.mine && file.blob);
  if (isClosed || (!why && received.length === 0)) return null;
  return (
    <div class="note">
      <div class="note-text">
        {why && <p>{why}</p>}
        {received.length > 0 && (
          <>
            <p>{t("end.files", { name: call.peer.n })}</p>
            <ul class="files" role="list" aria-label={t("files.title")}>
              {received.map((file) => (
                <FileRow key={file.id} file={file} />
              ))}
            </ul>
          </>
        )}
        {call.endReason && why && <p class="note-code">{t("problem.code", { code: call.endReason })}</p>}
      </div>
      <button type="button" class="button-quiet" onClick={() => setClosed(true)} aria-label={t("dismiss")}>
        <Icon name="close" />
      </button>
    </div>
  );
}
