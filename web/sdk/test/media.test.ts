// Camera, microphone, screen: what is opened, what is released, and what happens when something is missing.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { LocalMedia } from "../src/media.js";
import { StepLog } from "../src/steps.js";
import { type FakeDevices, FakeRtc, type FakeTrack, stubBrowser } from "./fakes/browser.js";

let devices: FakeDevices;
let media: LocalMedia;
let log: StepLog;
let changed: ReturnType<typeof vi.fn<() => void>>;

beforeEach(() => {
  devices = stubBrowser();
  log = new StepLog();
  changed = vi.fn<() => void>();
  media = new LocalMedia(log, changed);
});
afterEach(() => vi.unstubAllGlobals());

const labels = () => media.stream.getTracks().map((track) => track.label);
const live = () => devices.opened.filter((track) => track.readyState === "live").map((track) => track.label);

describe("opening", () => {
  test("asks once for both and logs it", async () => {
    await media.open(["a", "v"]);
    expect(devices.asked).toEqual([{ audio: true, video: true }]);
    expect(labels()).toEqual(["default audio", "default video"]);
    expect(media.isCameraOff).toBe(false);
    expect(log.steps.map((step) => step.kind)).toEqual(["getUserMedia"]);
  });

  test("for an audio call leaves the camera alone", async () => {
    await media.open(["a"]);
    expect(devices.asked).toEqual([{ audio: true, video: false }]);
    expect(media.isCameraOff).toBe(true);
  });

  test("for a call of text alone asks for nothing", async () => {
    await media.open([]);
    expect(devices.asked).toEqual([]);
    expect(media.isCameraOff).toBe(true);
    expect(log.steps).toEqual([]);
  });

  test.each([
    [{ audio: true, video: false }, ["default audio"], 2],
    [{ audio: false, video: true }, ["default video"], 3],
    [{ audio: false, video: false }, [], 3],
  ])("with %j goes on with what there is", async (has, opened, tries) => {
    devices.has = has;
    await media.open(["a", "v"]);
    expect(labels()).toEqual(opened);
    expect(devices.asked).toHaveLength(tries);
    expect(media.error?.name).toBe("NotFoundError");
  });

  test("on a page that is not secure says so", async () => {
    vi.stubGlobal("navigator", {});
    media = new LocalMedia(log, changed);
    await media.open(["a"]);
    expect(media.error?.name).toBe("NotSupportedError");
  });

  test("a call that ended meanwhile leaves no camera on", async () => {
    let allow: () => void = () => undefined;
    devices.gate = new Promise((resolve) => (allow = resolve));
    const opening = media.open(["a", "v"]);
    await vi.waitFor(() => expect(devices.asked).toHaveLength(1));
    media.close();
    allow();
    await opening;
    expect(devices.opened).toHaveLength(2);
    expect(live()).toEqual([]);
  });
});

describe("attaching", () => {
  test("the offerer asks for what it cannot send itself", async () => {
    devices.has.video = false;
    await media.open(["a", "v"]);
    const pc = new FakeRtc();
    media.attach(pc.asConnection, ["a", "v"], true);
    expect(pc.transceivers.map((one) => [one.receiver.track.kind, one.direction])).toEqual([
      ["audio", "sendrecv"],
      ["video", "recvonly"],
    ]);
  });

  test("the other side adds only what it has", async () => {
    devices.has.video = false;
    await media.open(["a", "v"]);
    const pc = new FakeRtc();
    media.attach(pc.asConnection, ["a", "v"], false);
    expect(pc.transceivers).toHaveLength(1);
  });
});

describe("in a call", () => {
  let pc: FakeRtc;
  const sent = (kind: string) =>
    pc.transceivers.find((one) => one.receiver.track.kind === kind)?.sender.track?.label ?? null;

  beforeEach(async () => {
    await media.open(["a", "v"]);
    pc = new FakeRtc();
    media.attach(pc.asConnection, ["a", "v"], true);
  });

  test("muting keeps the microphone open and sends silence", () => {
    media.setMuted(true);
    expect(media.audio?.enabled).toBe(false);
    expect(media.audio?.readyState).toBe("live");
    expect(media.sending).toEqual({ audio: false, video: true });
    media.setMuted(false);
    expect(media.audio?.enabled).toBe(true);
  });

  test("camera off releases it, on opens it again", async () => {
    await media.setCameraOff(true);
    expect(live()).toEqual(["default audio"]);
    expect(sent("video")).toBeNull();
    expect(media.sending.video).toBe(false);
    await media.setCameraOff(false);
    expect(sent("video")).toBe("default video");
    expect(media.isCameraOff).toBe(false);
  });

  test("off and on in quick succession end as asked last", async () => {
    void media.setCameraOff(true);
    void media.setCameraOff(false);
    await media.setCameraOff(true);
    expect(media.isCameraOff).toBe(true);
    expect(live()).toEqual(["default audio"]);
  });

  test("the screen takes the camera's place and gives it back", async () => {
    await media.shareScreen(true);
    expect(sent("video")).toBe("screen");
    expect(live()).toEqual(["default audio", "screen"]);
    await media.shareScreen(false);
    expect(sent("video")).toBe("default video");
    expect(live()).toEqual(["default audio", "default video"]);
  });

  test("a screen that is stopped outside the page ends the sharing", async () => {
    await media.setCameraOff(true);
    await media.shareScreen(true);
    (media.video as unknown as FakeTrack).unplug();
    await media.ready;
    expect(media.isSharing).toBe(false);
    expect(sent("video")).toBeNull();
    expect(media.isCameraOff).toBe(true);
  });

  test("a dismissed picker changes nothing and is no error", async () => {
    devices.screen = "dismissed";
    await media.shareScreen(true);
    expect(media.isSharing).toBe(false);
    expect(media.error).toBeNull();
    expect(sent("video")).toBe("default video");
  });

  test("another microphone takes over, muted as the one before", async () => {
    media.setMuted(true);
    await media.selectDevice("audioinput", "headset");
    expect(sent("audio")).toBe("headset");
    expect(media.audio?.enabled).toBe(false);
    expect(media.deviceId("audio")).toBe("headset");
    expect(live()).toEqual(["default video", "headset"]);
  });

  test("a device that is not there leaves the one before", async () => {
    await media.selectDevice("videoinput", "missing");
    expect(media.error?.name).toBe("OverconstrainedError");
    expect(sent("video")).toBe("default video");
    expect(media.deviceId("video")).toBe("default video");
  });

  test("a camera chosen while it is off is the one that goes on", async () => {
    await media.setCameraOff(true);
    await media.selectDevice("videoinput", "other");
    expect(live()).toEqual(["default audio"]);
    await media.setCameraOff(false);
    expect(sent("video")).toBe("other");
  });

  test("a microphone that is pulled out is replaced by the default one", async () => {
    await media.selectDevice("audioinput", "headset");
    (media.audio as unknown as FakeTrack).unplug();
    await media.ready;
    expect(sent("audio")).toBe("default audio");
  });

  test("the last microphone pulled out leaves none, and says so", async () => {
    devices.has.audio = false;
    (media.audio as unknown as FakeTrack).unplug();
    await media.ready;
    expect(sent("audio")).toBeNull();
    expect(media.error?.name).toBe("NotFoundError");
  });

  test("devices that come and go are told", () => {
    changed.mockClear();
    devices.dispatchEvent(new Event("devicechange"));
    expect(changed).toHaveBeenCalledTimes(1);
    media.close();
    devices.dispatchEvent(new Event("devicechange"));
    expect(changed).toHaveBeenCalledTimes(1);
  });

  test("closing releases everything", () => {
    media.close();
    expect(live()).toEqual([]);
  });
});

test("a camera that was missing at first is sent in both directions once it is there", async () => {
  devices.has.video = false;
  await media.open(["a", "v"]);
  const pc = new FakeRtc();
  media.attach(pc.asConnection, ["a", "v"], true);
  devices.has.video = true;
  await media.setCameraOff(false);
  expect(pc.transceivers[1]?.direction).toBe("sendrecv");
  expect(pc.transceivers[1]?.sender.track?.label).toBe("default video");
  expect(media.error).toBeNull();
});
