// The dialog of a call that rings. Camera and microphone stay untouched until it is accepted.

import type { Call, Media } from "@peerline/sdk";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n/language";
import { Avatar } from "./avatar";
import { Icon } from "./icon";

export function IncomingCall({ call }: { call: Call }) {
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const first = useRef<HTMLButtonElement>(null);
  const [isAnswered, setAnswered] = useState(false);
  const withVideo = call.media.includes("v");
  // A program, at a terminal say, that sends neither sound nor picture, and plays none.
  const isChat = call.media.length === 0;

  // showModal keeps the focus inside and the rest of the page still; the focus goes back to where it was.
  useLayoutEffect(() => {
    const before = document.activeElement;
    const shown = dialog.current;
    shown?.showModal();
    first.current?.focus();
    return () => {
      // As long as it is open, nothing outside of it can take the focus.
      shown?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);

  useEffect(() => {
    if ("vibrate" in navigator && navigator.userActivation?.hasBeenActive) navigator.vibrate([300, 200, 300]);
  }, []);

  const accept = (media: Media) => {
    setAnswered(true);
    // Refused (answered elsewhere, over meanwhile): the call's own end says why.
    call.accept(media).catch(() => setAnswered(false));
  };

  return (
    <dialog
      ref={dialog}
      class="incoming"
      role="dialog"
      aria-modal="true"
      aria-labelledby={`${id}-title`}
      aria-describedby={`${id}-who`}
      onCancel={(event) => {
        event.preventDefault();
        call.decline();
      }}
    >
      <h2 id={`${id}-title`}>{t("incoming.title")}</h2>
      <div class="incoming-rings">
        <Avatar name={call.peer.n} large />
      </div>
      <p id={`${id}-who`} class="incoming-who">
        <bdi class="incoming-name">{call.peer.n}</bdi>
        <span>{t(isChat ? "incoming.chat" : withVideo ? "incoming.video" : "incoming.audio")}</span>
      </p>
      <div class="incoming-answers">
        <button
          ref={first}
          type="button"
          class="button-accept"
          disabled={isAnswered}
          onClick={() => accept(isChat ? [] : withVideo ? ["a", "v"] : ["a"])}
        >
          <Icon name={withVideo ? "camera" : "phone"} />
          {t("incoming.accept")}
        </button>
        {!isChat && (
          <button type="button" class="button-soft" disabled={isAnswered} onClick={() => accept(["a"])}>
            <Icon name="phone" />
            {t("incoming.acceptAudio")}
          </button>
        )}
        <button type="button" class="button-danger" disabled={isAnswered} onClick={() => call.decline()}>
          <Icon name="hangUp" />
          {t("incoming.decline")}
        </button>
      </div>
      <p class="incoming-note">{t(isChat ? "incoming.chatNote" : "incoming.note")}</p>
    </dialog>
  );
}
