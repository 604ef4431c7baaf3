// One file on its way: how far it is, how to stop it, whether it arrived unharmed, how to save it.

import type { FileTransfer } from "@peerline/sdk";
import { useEffect, useMemo } from "preact/hooks";
import { size } from "../i18n/format";
import { t } from "../i18n/language";
import { Icon } from "./icon";

export function FileRow({ file }: { file: FileTransfer }) {
  const isMoving = file.state === "waiting" || file.state === "moving" || file.state === "checking";
  const saved = useObjectUrl(!file.mine && file.state === "ok" ? file.blob : null);
  return (
    <li class={`file file-${file.state}`} data-file-state={file.state}>
      <span class="file-sign">
        <Icon name={file.state === "ok" ? "check" : file.mine ? "outgoing" : "incoming"} />
      </span>
      <div class="file-text">
        <bdi class="file-name">{file.name}</bdi>
        <span class="file-more">
          {isMoving && file.done > 0 ? `${size(file.done)} / ${size(file.size)}` : size(file.size)} ·{" "}
          {t(`files.${file.state}`)}
        </span>
        {isMoving && (
          <progress
            value={file.done}
            max={Math.max(file.size, 1)}
            aria-label={t("files.progress", { name: file.name })}
          />
        )}
      </div>
      {isMoving && (
        <button
          type="button"
          class="button-quiet"
          aria-label={t("files.cancel", { name: file.name })}
          title={t("files.cancel", { name: file.name })}
          onClick={() => file.cancel()}
        >
          <Icon name="close" />
        </button>
      )}
      {saved && (
        <a
          class="button-soft"
          href={saved}
          download={file.name}
          aria-label={t("files.save", { name: file.name })}
        >
          <Icon name="download" />
          {t("files.saveShort")}
        </a>
      )}
    </li>
  );
}

function useObjectUrl(blob: Blob | null): string | null {
  const url = useMemo(() => (blob ? URL.createObjectURL(blob) : null), [blob]);
  useEffect(() => () => void (url && URL.revokeObjectURL(url)), [url]);
  return url;
}
