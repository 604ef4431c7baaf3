// What the page's address asks for: ?transport=websocket|http, ?ice=relay, ?lang=en|zh.

import type { Lang } from "../i18n/language";

export interface PageOptions {
  transport: "auto" | "websocket" | "http";
  ice: RTCIceTransportPolicy;
  lang: Lang | null;
}

/** Reads the options; a value that is not one of these counts as not given. */
export function readOptions(search: string): PageOptions {
  const asked = new URLSearchParams(search);
  const transport = asked.get("transport");
  const lang = asked.get("lang");
  return {
    transport: transport === "websocket" || transport === "http" ? transport : "auto",
    ice: asked.get("ice") === "relay" ? "relay" : "all",
    lang: lang === "en" || lang === "zh" ? lang : null,
  };
}
