// The button that opens the file chooser.

import type { Call } from "@peerline/sdk";
import { useRef } from "preact/hooks";
import { t } from "../i18n/language";
import { Icon } from "./icon";

export function SendFile({ call, canSend }: { call: Call; canSend: boolean }) {
  const chooser = useRef<HTMLInputElement>(null);
  const send = (event: Event & { currentTarget: HTMLInputElement }) => {
    for (const file of event.currentTarget.files ?? []) call.sendFile(file);
    // The same file can be chosen once more.
    event.currentTarget.value = "";
  };
  return (
    <>
      <button
        type="button"
        class="button-quiet button-square"
        aria-label={t("files.send")}
        title={t("files.send")}
        disabled={!canSend}
        onClick={() => chooser.current?.click()}
      >
        <Icon name="file" />
      </button>
      <input ref={chooser} type="file" multiple hidden onChange={send} />
    </>
  );
}
