// The row of buttons of a call. "Hang up" is there from the first moment, so that it also takes a call back.

import type { Call } from "@peerline/sdk";
import { t } from "../i18n/language";
import { Icon, type IconName } from "./icon";

export type PanelName = "statistics" | "inspector";

interface Props {
  call: Call;
  open: ReadonlySet<PanelName>;
  /** The element ids of the panels. */
  panels: Record<PanelName, string>;
  onToggle: (panel: PanelName) => void;
}

/** The element id of the button that opens a panel. */
export const buttonOf = (panel: string) => `${panel}-button`;

const canShareScreen = () => typeof navigator.mediaDevices?.getDisplayMedia === "function";

export function Controls({ call, open, panels, onToggle }: Props) {
  const { muted } = call.microphone;
  const { off } = call.camera;
  return (
    <div class="controls" role="group" aria-label={t("controls.label")}>
      <Control
        icon={muted ? "microphoneOff" : "microphone"}
        label={t(muted ? "controls.unmute" : "controls.mute")}
        short={t(muted ? "controls.unmuteShort" : "controls.muteShort")}
        isOff={muted}
        onClick={() => call.setMuted(!muted)}
      />
      <Control
        icon={off ? "cameraOff" : "camera"}
        label={t(off ? "controls.cameraOn" : "controls.cameraOff")}
        short={t(off ? "controls.cameraOnShort" : "controls.cameraOffShort")}
        isOff={off}
        onClick={() => void call.setCameraOff(!off)}
      />
      {canShareScreen() && (
        <Control
          icon={call.screen ? "screenOff" : "screen"}
          label={t(call.screen ? "controls.stopSharing" : "controls.share")}
          short={t(call.screen ? "controls.stopSharingShort" : "controls.shareShort")}
          isOn={call.screen}
          onClick={() => void call.shareScreen(!call.screen)}
        />
      )}
      <button
        type="button"
        class="control control-hangup"
        onClick={() => call.hangup()}
        aria-label={t("controls.hangUp")}
      >
        <Icon name="hangUp" />
        <span class="control-text">{t("controls.hangUp")}</span>
      </button>
      {(["statistics", "inspector"] as const).map((panel) => (
        <Control
          key={panel}
          icon={panel}
          label={t(`controls.${panel}`)}
          short={t(`controls.${panel}`)}
          isOn={open.has(panel)}
          panel={{ id: panels[panel], isOpen: open.has(panel) }}
          onClick={() => onToggle(panel)}
        />
      ))}
    </div>
  );
}

interface ControlProps {
  icon: IconName;
  /** The whole name of the button; its visible text is a part of it. */
  label: string;
  short: string;
  isOff?: boolean;
  isOn?: boolean;
  panel?: { id: string; isOpen: boolean };
  onClick: () => void;
}

function Control({ icon, label, short, isOff, isOn, panel, onClick }: ControlProps) {
  return (
    <button
      type="button"
      id={panel && buttonOf(panel.id)}
      class={`control${isOff ? " is-off" : ""}${isOn ? " is-on" : ""}`}
      aria-label={label}
      title={label}
      aria-expanded={panel?.isOpen}
      aria-controls={panel?.isOpen ? panel.id : undefined}
      onClick={onClick}
    >
      <Icon name={icon} />
      <span class="control-text">{short}</span>
    </button>
  );
}
