// The top line: whose page this is, how the call stands, who I am, which language.

import { t } from "../i18n/language";
import type { Session } from "../state/session";
import { Icon, Logo } from "./icon";
import { LanguagePicker } from "./language-picker";

export function Header({ session }: { session: Session }) {
  return (
    <header class="top">
      <span class="brand">
        <Logo />
        <span class="brand-name">Peerline</span>
      </span>
      <StatusLine session={session} />
      <div class="top-tools">
        <LanguagePicker />
        {session.phase === "in" && !session.call && (
          <button
            type="button"
            class="button-quiet"
            onClick={() => session.leave()}
            aria-label={t("leave")}
            title={t("leave")}
          >
            <Icon name="leave" />
          </button>
        )}
      </div>
    </header>
  );
}

/** The page's only role=status: there from the first moment, so that screen readers announce each change of it. */
function StatusLine({ session }: { session: Session }) {
  return (
    <p role="status" class={`status status-${session.status}`}>
      {session.status === "none" ? "" : t(`status.${session.status}`)}
    </p>
  );
}
