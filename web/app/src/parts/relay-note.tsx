// ?ice=relay asks for the relay only: says so where the server has none, since no call could ever connect.

import { t } from "../i18n/language";
import type { Session } from "../state/session";
import { AskTheDoctor } from "./doctor-link";
import { Icon } from "./icon";

export function RelayNote({ session }: { session: Session }) {
  if (session.options.ice !== "relay" || session.client?.hasRelay !== false) return null;
  return (
    <div class="note note-warn" role="note">
      <Icon name="warning" />
      <div class="note-text">
        <p>
          <strong>{t("relay.none")}</strong>
        </p>
        <p>{t("relay.why")}</p>
        <p>
          <AskTheDoctor />
        </p>
      </div>
    </div>
  );
}
