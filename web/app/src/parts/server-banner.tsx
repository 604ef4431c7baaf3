// Says that the server is out of reach. A call goes on meanwhile: its own state stands in the status line, not here.

import type { Client } from "@peerline/sdk";
import { useEffect, useState } from "preact/hooks";
import { t } from "../i18n/language";
import { Icon } from "./icon";

/** A connection that comes back within this time is nobody's concern. */
const PATIENCE_MS = 1500;

export function ServerBanner({ client }: { client: Client | null }) {
  const isAway = client?.state === "reconnecting";
  const [isShown, setShown] = useState(false);
  useEffect(() => {
    if (!isAway) return setShown(false);
    const timer = setTimeout(() => setShown(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [isAway]);
  if (!isShown) return null;
  return (
    <div class="banner" role="alert">
      <Icon name="warning" />
      <span>{t(client?.currentCall ? "server.awayInCall" : "server.away")}</span>
    </div>
  );
}
