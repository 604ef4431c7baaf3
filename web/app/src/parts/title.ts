// The window's title: who is calling (flashing), who one talks to, how many calls were missed.

import type { Call } from "@peerline/sdk";
import { useEffect } from "preact/hooks";
import { t } from "../i18n/language";

const FLASH_MS = 900;

export function useTitle(call: Call | null, missed: number): void {
  const rings = call?.state === "incoming";
  const name = call?.peer.n ?? null;
  const calm = name && !rings ? `${name} · Peerline` : missed ? `(${missed}) Peerline` : "Peerline";
  const loud = rings ? t("title.incoming", { name: name ?? "" }) : null;
  const other = `${t("incoming.title")} · Peerline`;
  useEffect(() => {
    document.title = loud ?? calm;
    if (!loud) return;
    let isLoud = true;
    const flash = setInterval(() => {
      isLoud = !isLoud;
      document.title = isLoud ? loud : other;
    }, FLASH_MS);
    return () => {
      clearInterval(flash);
      document.title = calm;
    };
  }, [calm, loud, other]);
}
