// Where one waits and calls from: oneself, who is here, what was missed, what was.

import { t } from "../i18n/language";
import { CallHistory } from "../parts/call-history";
import { EndNote } from "../parts/end-note";
import { InsecureNote } from "../parts/insecure-note";
import { MissedCalls } from "../parts/missed-calls";
import { People } from "../parts/people";
import { PresencePicker } from "../parts/presence-picker";
import { ProblemNote } from "../parts/problem-note";
import { RelayNote } from "../parts/relay-note";
import type { Session } from "../state/session";

export function LobbyPage({ session }: { session: Session }) {
  const { client, problem, lastCall } = session;
  if (!client) return null;
  return (
    <div class="lobby">
      <div class="lobby-column">
        <section class="me">
          <h1 dir="auto">{t("lobby.hello", { name: client.me.n })}</h1>
          <PresencePicker session={session} />
        </section>
        <InsecureNote />
        <RelayNote session={session} />
        {problem && <ProblemNote problem={problem} onDismiss={() => session.dismissProblem()} />}
        {lastCall && <EndNote key={lastCall.id} call={lastCall} />}
        <People session={session} />
      </div>
      <div class="lobby-column">
        <MissedCalls session={session} />
        <CallHistory session={session} />
      </div>
    </div>
  );
}
