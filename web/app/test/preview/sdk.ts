// What the preview imports in place of the SDK: `window.preview` is the client, to make things happen from the console.

import type { ConnectOptions } from "@peerline/sdk";
import { FakeCall, FakeClient } from "../fake-sdk";
import { classicCall } from "./classic-call";

declare global {
  interface Window {
    preview: {
      client: FakeClient;
      FakeCall: typeof FakeCall;
      classicCall: typeof classicCall;
      picture: typeof picture;
    };
  }
}

export async function connect(options: ConnectOptions) {
  if (options.name === "taken") throw Object.assign(new Error("taken"), { code: "taken" });
  const client = new FakeClient();
  client.me = { u: "ann", n: options.name, rights: [] };
  window.preview = { client, FakeCall, classicCall, picture };
  return client;
}

/** A moving picture without a camera. */
function picture(stream: MediaStream, hue: number): void {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1280, height: 720 });
  const draw = canvas.getContext("2d")!;
  const paint = () => {
    const ground = draw.createLinearGradient(0, 0, 1280, 720);
    ground.addColorStop(0, `hsl(${hue} 40% 62%)`);
    ground.addColorStop(1, `hsl(${hue + 50} 45% 28%)`);
    draw.fillStyle = ground;
    draw.fillRect(0, 0, 1280, 720);
    draw.fillStyle = `hsl(${hue + 20} 30% 80%)`;
    draw.beginPath();
    draw.arc(640, 300 + 6 * Math.sin(Date.now() / 400), 130, 0, 7);
    draw.ellipse(640, 720, 300, 260, 0, 0, 7);
    draw.fill();
  };
  setInterval(paint, 50);
  paint();
  for (const track of canvas.captureStream(20).getTracks()) stream.addTrack(track);
}
