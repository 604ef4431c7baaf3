// The calls there were, newest first.

import type { HistoryEntry } from "@peerline/sdk";
import { useId } from "preact/hooks";
import { clock, when } from "../i18n/format";
import { maybe, t } from "../i18n/language";
import type { Session } from "../state/session";
import { Icon } from "./icon";

export function CallHistory({ session }: { session: Session }) {
  const id = useId();
  const { history } = session;
  return (
    <section class="card">
      <h2 id={id}>{t("history.title")}</h2>
      {history.length === 0 && <p class="hint">{t("history.empty")}</p>}
      <ul class="rows" role="list" aria-labelledby={id}>
        {history.map((entry) => (
          <HistoryRow key={entry.call} entry={entry} />
        ))}
      </ul>
      {session.hasOlder && (
        <button type="button" class="button-soft" onClick={() => void session.loadHistory(true)}>
          {t("history.older")}
        </button>
      )}
    </section>
  );
}

function HistoryRow({ entry }: { entry: HistoryEntry }) {
  const isMissed = entry.dir === "in" && entry.answered === null && entry.why !== "declined";
  return (
    <li class="row row-small">
      <span class={isMissed ? "row-sign sign-missed" : "row-sign"}>
        <Icon name={entry.dir === "out" ? "outgoing" : isMissed ? "missed" : "incoming"} />
      </span>
      <div class="row-text">
        <bdi class="row-name">{entry.peer.n}</bdi>
        <span class="row-more">{describe(entry)}</span>
      </div>
      <time class="row-when" dateTime={new Date(entry.started).toISOString()}>
        {when(entry.started)}
      </time>
    </li>
  );
}

/** "Outgoing video call · 2:31", "Incoming audio call · declined", "Incoming chat". */
function describe(entry: HistoryEntry): string {
  const medium = entry.media.includes("v") ? "video" : entry.media.length > 0 ? "audio" : "chat";
  const kind = t(`history.${entry.dir}.${medium}`);
  if (entry.answered !== null && entry.ended !== null)
    return `${kind} · ${clock(entry.ended - entry.answered)}`;
  if (entry.ended === null) return `${kind} · ${t("history.now")}`;
  const outcome = maybe(`history.why.${entry.why}`);
  return outcome ? `${kind} · ${outcome}` : kind;
}
