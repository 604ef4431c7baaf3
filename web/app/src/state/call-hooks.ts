// How components follow a call.

import type { Call } from "@peerline/sdk";
import { useEffect, useState } from "preact/hooks";
import { useSubscription } from "./observable";

/** Draws the component again whenever the call changes. */
export function useCall(call: Call): Call {
  useSubscription((redraw) => call.on("change", redraw), call);
  return call;
}

/** Whether `stream` shows a picture just now: a live video track with something on it. */
export function useHasPicture(stream: MediaStream, change: unknown): boolean {
  const [hasPicture, setPicture] = useState(false);
  useEffect(() => {
    const tracks = stream.getVideoTracks();
    const look = () => setPicture(tracks.some((track) => track.readyState === "live" && !track.muted));
    look();
    for (const track of tracks) for (const event of TRACK_EVENTS) track.addEventListener(event, look);
    return () => {
      for (const track of tracks) for (const event of TRACK_EVENTS) track.removeEventListener(event, look);
    };
    // A stream keeps its identity while its tracks come and go.
  }, [stream, change, trackIds(stream)]);
  return hasPicture;
}

const TRACK_EVENTS = ["mute", "unmute", "ended"] as const;

function trackIds(stream: MediaStream): string {
  return stream
    .getVideoTracks()
    .map((track) => track.id)
    .join(" ");
}

/** Whether there is somebody to talk to over the call's data channels. */
export function isUp(call: Pick<Call, "state">): boolean {
  return call.state === "connected" || call.state === "reconnecting";
}
