// Everybody else who is here, each with a button to see and one to hear them.

import type { Person } from "@peerline/sdk";
import { useId } from "preact/hooks";
import { t } from "../i18n/language";
import type { Session } from "../state/session";
import { Avatar } from "./avatar";
import { Icon } from "./icon";
import { NobodyHere } from "./nobody-here";

export function People({ session }: { session: Session }) {
  const id = useId();
  const others = session.others();
  return (
    <section class="card">
      <h2 id={id}>{t("people.title")}</h2>
      <ul class="rows" role="list" aria-labelledby={id}>
        {others.map((person) => (
          <PersonRow key={person.u} person={person} onCall={(media) => session.dial(person.u, media)} />
        ))}
      </ul>
      {others.length === 0 && <NobodyHere />}
    </section>
  );
}

function PersonRow({ person, onCall }: { person: Person; onCall: (media: ("a" | "v")[]) => void }) {
  const { n: name, st } = person;
  return (
    <li class="row">
      <Avatar name={name} />
      <div class="row-text">
        <bdi class="row-name">{name}</bdi>
        <span class="row-more">
          <span class={`dot dot-${st}`} aria-hidden="true" />
          {t(`presence.${st}`)}
        </span>
      </div>
      <button
        type="button"
        class="button-quiet button-audio"
        aria-label={t("people.audioCall", { name })}
        title={t("people.audioCall", { name })}
        onClick={() => onCall(["a"])}
      >
        <Icon name="phone" />
      </button>
      <button
        type="button"
        class="button-call"
        aria-label={t("people.call", { name })}
        onClick={() => onCall(["a", "v"])}
      >
        <Icon name="camera" />
        <span class="button-call-text">{t("people.callShort")}</span>
      </button>
    </li>
  );
}
