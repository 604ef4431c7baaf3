// The shell around the pages: header with the one status line, banners, the page itself, the incoming-call dialog.

import { useEffect, useRef } from "preact/hooks";
import { language, t } from "./i18n/language";
import { CallPage } from "./pages/call";
import { LobbyPage } from "./pages/lobby";
import { RegisterPage } from "./pages/register";
import { Footer } from "./parts/doctor-link";
import { Header } from "./parts/header";
import { IncomingCall } from "./parts/incoming";
import { ServerBanner } from "./parts/server-banner";
import { useTitle } from "./parts/title";
import { Tones } from "./sound/tones";
import { useObservable } from "./state/observable";
import type { Session } from "./state/session";
import { toneOf } from "./state/status";

const tones = new Tones();

export function App({ session }: { session: Session }) {
  useObservable(language);
  useObservable(session);
  const { call } = session;
  const rings = call?.state === "incoming";
  const talks = call !== null && !rings;
  const page = session.phase !== "in" ? "register" : talks ? "call" : "lobby";

  const tone = toneOf(call);
  useEffect(() => tones.play(tone), [tone]);
  useTitle(call, session.missed.length);
  const main = useFocusOnArrival(page, rings);

  return (
    <div class={`shell shell-${page}`}>
      <a class="skip" href="#main">
        {t("skip")}
      </a>
      <Header session={session} />
      <ServerBanner client={session.client} />
      <main id="main" tabIndex={-1} ref={main}>
        {page === "register" && <RegisterPage session={session} />}
        {page === "lobby" && <LobbyPage session={session} />}
        {page === "call" && <CallPage key={call!.id} call={call!} />}
      </main>
      {page !== "call" && <Footer />}
      {rings && <IncomingCall key={call.id} call={call} />}
    </div>
  );
}

/** When the page changes under the focus, the new page gets it, so that keyboard and screen reader start at its top. */
function useFocusOnArrival(page: string, rings: boolean) {
  const main = useRef<HTMLElement>(null);
  const shown = useRef(page);
  useEffect(() => {
    if (rings || shown.current === page) return;
    shown.current = page;
    if (document.activeElement === document.body || document.activeElement === null) {
      main.current?.focus({ preventScroll: true });
    }
    window.scrollTo(0, 0);
  }, [page, rings]);
  return main;
}
