// Which microphone, camera and speaker; devices come and go while one looks.

import type { Call } from "@peerline/sdk";
import { useId } from "preact/hooks";
import { t } from "../i18n/language";
import { canChooseSpeaker, useDevices } from "../state/devices";

interface Props {
  call: Call;
  speaker: string;
  onSpeaker: (id: string) => void;
}

export function Devices({ call, speaker, onSpeaker }: Props) {
  const id = useId();
  const devices = useDevices(call.localStream.getTracks().length);
  // A device that refuses is told by the call itself (mediaError), on the stage.
  const choose = (kind: "audioinput" | "videoinput") => (device: string) =>
    void call.selectDevice(kind, device);
  return (
    <section class="panel" aria-labelledby={id}>
      <h2 id={id}>{t("devices.title")}</h2>
      <div class="devices">
        <Picker
          kind="audioinput"
          devices={devices}
          value={call.microphone.deviceId}
          onChoose={choose("audioinput")}
        />
        <Picker
          kind="videoinput"
          devices={devices}
          value={call.camera.deviceId}
          onChoose={choose("videoinput")}
        />
        {canChooseSpeaker && (
          <Picker kind="audiooutput" devices={devices} value={speaker} onChoose={onSpeaker} />
        )}
      </div>
    </section>
  );
}

interface PickerProps {
  kind: MediaDeviceKind;
  devices: MediaDeviceInfo[];
  value: string | null;
  onChoose: (id: string) => void;
}

function Picker({ kind, devices, value, onChoose }: PickerProps) {
  const id = useId();
  const found = devices.filter((device) => device.kind === kind);
  return (
    <div class="picker">
      <label for={id}>{t(`devices.${kind}`)}</label>
      <select id={id} disabled={found.length === 0} onChange={(event) => onChoose(event.currentTarget.value)}>
        {found.length === 0 && <option value="">{t("devices.none")}</option>}
        {found.map((device, index) => (
          <option key={device.deviceId} value={device.deviceId} selected={device.deviceId === value}>
            {device.label || t("devices.unnamed", { number: index + 1 })}
          </option>
        ))}
      </select>
    </div>
  );
}
