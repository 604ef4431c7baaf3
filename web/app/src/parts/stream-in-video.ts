// Puts a MediaStream into a <video>, plays it, and says so when the browser refuses to play sound unasked.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";

type WithSink = HTMLVideoElement & { setSinkId?: (id: string) => Promise<void> };

/** `speaker`: the id of the output device, "" for the system's own. */
export function useStreamIn(stream: MediaStream, speaker = "") {
  const video = useRef<HTMLVideoElement>(null);
  const [isBlocked, setBlocked] = useState(false);

  const play = useCallback(() => {
    video.current?.play().then(
      () => setBlocked(false),
      // Any other refusal (AbortError: a newer stream came) settles by itself.
      (error: DOMException) => error.name === "NotAllowedError" && setBlocked(true),
    );
  }, []);

  useEffect(() => {
    if (!video.current) return;
    video.current.srcObject = stream;
    play();
    // A track that comes later may bring sound to what was silent, and with it the refusal.
    stream.addEventListener("addtrack", play);
    return () => stream.removeEventListener("addtrack", play);
  }, [stream]);

  useEffect(() => {
    const element = video.current as WithSink | null;
    if (speaker || element?.getAttribute("data-sink")) {
      element?.setAttribute("data-sink", speaker);
      // The device is gone already: the sound stays where it is.
      element?.setSinkId?.(speaker).catch(() => {});
    }
  }, [speaker]);

  return { video, isBlocked, play };
}
