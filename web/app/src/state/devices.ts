// The microphones, cameras and speakers there are; follows `devicechange` (W3C Media Capture, section 9).

import { useEffect, useState } from "preact/hooks";

/** Lists the devices, anew whenever one comes or goes, and when `call` changes: labels appear once access was granted. */
export function useDevices(granted: unknown): MediaDeviceInfo[] {
  const [devices, setDevices] = useState<MediaDeviceInfo[]>([]);
  useEffect(() => {
    // Not there at all on an insecure page.
    const source = navigator.mediaDevices as MediaDevices | undefined;
    if (!source) return;
    let isCurrent = true;
    const list = () =>
      source.enumerateDevices().then(
        (found) => isCurrent && setDevices(found),
        () => {},
      );
    void list();
    source.addEventListener("devicechange", list);
    return () => {
      isCurrent = false;
      source.removeEventListener("devicechange", list);
    };
  }, [granted]);
  return devices;
}

/** Whether the browser can choose where sound goes (W3C Audio Output Devices). */
export const canChooseSpeaker =
  typeof HTMLMediaElement !== "undefined" && "setSinkId" in HTMLMediaElement.prototype;
