// Calls one did not get; they stay until one says that one has seen them.

import { useId } from "preact/hooks";
import { when } from "../i18n/format";
import { maybe, t } from "../i18n/language";
import type { Session } from "../state/session";
import { Icon } from "./icon";

export function MissedCalls({ session }: { session: Session }) {
  const id = useId();
  const { missed } = session;
  if (missed.length === 0) return null;
  return (
    <section class="card card-missed">
      <div class="card-head">
        <h2 id={id}>
          {t("missed.title")} <span class="count">{missed.length}</span>
        </h2>
        <button type="button" class="button-soft" onClick={() => session.acknowledgeMissed()}>
          <Icon name="check" />
          {t("missed.seen")}
        </button>
      </div>
      <ul class="rows" role="list" aria-labelledby={id}>
        {missed.map((call) => (
          <li key={call.call} class="row row-small">
            <span class="row-sign sign-missed">
              <Icon name="missed" />
            </span>
            <div class="row-text">
              <bdi class="row-name">{call.from.n}</bdi>
              <span class="row-more">{maybe(`missed.${call.why}`) ?? t("missed.timeout")}</span>
            </div>
            <time class="row-when" dateTime={new Date(call.at).toISOString()}>
              {when(call.at)}
            </time>
          </li>
        ))}
      </ul>
    </section>
  );
}
