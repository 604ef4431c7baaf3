// What the others read of me: online, away, do not disturb.

import { useId } from "preact/hooks";
import { t } from "../i18n/language";
import type { OwnPresence, Session } from "../state/session";

const CHOICES: OwnPresence[] = ["online", "away", "dnd"];

export function PresencePicker({ session }: { session: Session }) {
  const group = useId();
  return (
    <fieldset class="presence">
      <legend class="unseen">{t("presence.mine")}</legend>
      {CHOICES.map((choice) => (
        <label key={choice} class="presence-choice">
          <input
            type="radio"
            name={group}
            checked={session.chosen === choice}
            onChange={() => session.setPresence(choice)}
          />
          <span class={`dot dot-${choice}`} aria-hidden="true" />
          {t(`presence.${choice}`)}
        </label>
      ))}
    </fieldset>
  );
}
