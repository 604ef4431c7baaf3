// The picture: the other person large, oneself small in the corner, and who they are while there is no picture.

import type { Call } from "@peerline/sdk";
import { useEffect, useId, useState } from "preact/hooks";
import { clock } from "../i18n/format";
import { t } from "../i18n/language";
import { useHasPicture } from "../state/call-hooks";
import { mediaProblem } from "../state/problem";
import { Avatar } from "./avatar";
import { Icon } from "./icon";
import { ProblemNote } from "./problem-note";
import { useStreamIn } from "./stream-in-video";

export function Stage({ call, speaker }: { call: Call; speaker: string }) {
  const remote = useStreamIn(call.remoteStream, speaker);
  const local = useStreamIn(call.localStream);
  const hasRemote = useHasPicture(call.remoteStream, call.state) && !call.remoteMuted.video;
  const hasLocal = useHasPicture(call.localStream, call.camera.off) && (!call.camera.off || call.screen);
  const [isDismissed, setDismissed] = useState<DOMException | null>(null);
  const { mediaError, peer } = call;
  const title = useId();

  return (
    <section class="stage" aria-labelledby={title}>
      <h1 class="unseen" id={title}>
        {t("stage.label", { name: peer.n })}
      </h1>
      <video
        ref={remote.video}
        class={hasRemote ? "stage-remote" : "stage-remote stage-remote-empty"}
        data-role="remote"
        autoPlay
        playsInline
        aria-label={t("stage.remote", { name: peer.n })}
      />
      {!hasRemote && <Placeholder call={call} />}
      <div class="stage-top">
        <span class="tag">
          <bdi>{peer.n}</bdi>
          {call.remoteMuted.audio && call.state === "connected" && (
            <span class="tag-sign" title={t("stage.remoteMuted", { name: peer.n })}>
              <Icon name="microphoneOff" />
              <span class="unseen">{t("stage.remoteMuted", { name: peer.n })}</span>
            </span>
          )}
        </span>
        <Timer call={call} />
      </div>
      {remote.isBlocked && (
        <button type="button" class="button-main stage-play" onClick={remote.play}>
          <Icon name="sound" />
          {t("stage.playSound")}
        </button>
      )}
      <div class={hasLocal ? "stage-self" : "stage-self stage-self-empty"}>
        <video
          ref={local.video}
          class={call.screen ? "is-screen" : undefined}
          data-role="local"
          autoPlay
          playsInline
          muted
          aria-label={t("stage.local")}
        />
        {!hasLocal && <Icon name="cameraOff" />}
        {call.microphone.muted && (
          <span class="stage-self-muted">
            <Icon name="microphoneOff" />
          </span>
        )}
      </div>
      {mediaError && mediaError !== isDismissed && (
        <div class="stage-note">
          <ProblemNote
            problem={mediaProblem(mediaError, window.isSecureContext)}
            onDismiss={() => setDismissed(mediaError)}
          />
        </div>
      )}
    </section>
  );
}

/** In place of the other's picture. */
function Placeholder({ call }: { call: Call }) {
  const isWaiting = call.state === "calling" || call.state === "ringing" || call.state === "connecting";
  return (
    <div class={isWaiting ? "stage-person is-waiting" : "stage-person"}>
      <Avatar name={call.peer.n} large />
      <bdi class="stage-name">{call.peer.n}</bdi>
      {call.state === "connecting" && <span class="stage-more">{t("stage.connecting")}</span>}
      {call.state === "connected" && (
        <span class="stage-more">{t(call.remoteMuted.audio ? "stage.nothing" : "stage.noPicture")}</span>
      )}
    </div>
  );
}

/** How long the two have been talking. */
function Timer({ call }: { call: Call }) {
  const [since, setSince] = useState<number | null>(null);
  const [now, setNow] = useState(0);
  const isUp = call.state === "connected";
  useEffect(() => {
    if (isUp && since === null) setSince(Date.now());
  }, [isUp]);
  useEffect(() => {
    if (since === null) return;
    const tick = () => setNow(Date.now());
    tick();
    const timer = setInterval(tick, 1000);
    return () => clearInterval(timer);
  }, [since]);
  if (since === null) return null;
  return (
    <span class="tag tag-time" role="timer">
      {clock(now - since)}
    </span>
  );
}
