// May this page use camera and microphone, and are there any? Asks for neither.

import { type Check, failed, ok, unknown, warning, words } from "../check";

type Kind = "camera" | "microphone";

export const media: Check = {
  name: "media",
  timeoutMs: 5000,
  async examine(_patient, say) {
    const devices = navigator.mediaDevices as MediaDevices | undefined;
    if (!devices) return unknown(words("doctor.media.none"));
    const states = { camera: await permission("camera"), microphone: await permission("microphone") };
    const found = await devices.enumerateDevices();
    const count = {
      camera: found.filter((device) => device.kind === "videoinput").length,
      microphone: found.filter((device) => device.kind === "audioinput").length,
    };
    for (const kind of ["camera", "microphone"] as const) {
      say(words(`doctor.media.log.${kind}`, { state: states[kind] ?? "?", count: count[kind] }));
    }
    if (states.camera === "denied" || states.microphone === "denied") {
      return failed(words("doctor.media.denied"), words("doctor.fix.permission"));
    }
    if (count.microphone === 0)
      return warning(words("doctor.media.noMicrophone"), words("doctor.fix.plugIn"));
    if (count.camera === 0) return warning(words("doctor.media.noCamera"), words("doctor.fix.plugIn"));
    if (states.camera === "granted" && states.microphone === "granted")
      return ok(words("doctor.media.granted"));
    return ok(words("doctor.media.prompt"));
  },
};

/** Null where the browser does not tell. */
async function permission(kind: Kind): Promise<PermissionState | null> {
  try {
    return (await navigator.permissions.query({ name: kind as PermissionName })).state;
  } catch {
    return null;
  }
}
