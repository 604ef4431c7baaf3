// The first page: a name, and one is registered.

import { useEffect, useId, useRef, useState } from "preact/hooks";
import { t } from "../i18n/language";
import { Logo } from "../parts/icon";
import { InsecureNote } from "../parts/insecure-note";
import { ProblemNote } from "../parts/problem-note";
import { memory } from "../state/memory";
import type { Session } from "../state/session";

const LONGEST_NAME = 64;

export function RegisterPage({ session }: { session: Session }) {
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  const tokenField = useRef<HTMLInputElement>(null);
  const [name, setName] = useState(memory.registered() ?? memory.name() ?? "");
  const [token, setToken] = useState("");
  const [isEmpty, setEmpty] = useState(false);
  const isEntering = session.phase === "entering";
  const refusal = session.problem?.code;
  const asksForToken = refusal === "auth" || refusal === "expired" || token !== "";

  // A name from last time is marked, so that typing replaces it.
  useEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, []);
  // Refused: the focus goes to what has to change.
  useEffect(() => {
    if (refusal === "taken" || refusal === "bad") field.current?.select();
    if (refusal === "auth" || refusal === "expired") tokenField.current?.focus();
  }, [session.problem]);

  const submit = (event: Event) => {
    event.preventDefault();
    const wanted = name.trim();
    setEmpty(!wanted);
    if (wanted) void session.register(wanted, token.trim() || null);
    else field.current?.focus();
  };

  return (
    <div class="register">
      <div class="register-mark">
        <Logo />
      </div>
      <h1>{t("register.title")}</h1>
      <p class="lead">{t("register.lead")}</p>
      <InsecureNote />
      <form class="card register-form" onSubmit={submit} noValidate>
        <label for={`${id}-name`}>{t("register.name")}</label>
        <input
          id={`${id}-name`}
          ref={field}
          type="text"
          dir="auto"
          autocomplete="nickname"
          autocapitalize="words"
          spellcheck={false}
          enterkeyhint="go"
          maxLength={LONGEST_NAME}
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
          aria-invalid={isEmpty || refusal === "taken"}
          aria-describedby={`${id}-hint`}
        />
        <p id={`${id}-hint`} class="hint">
          {t(isEmpty ? "register.empty" : "register.hint")}
        </p>
        {asksForToken && (
          <>
            <label for={`${id}-token`}>{t("register.token")}</label>
            <input
              id={`${id}-token`}
              ref={tokenField}
              type="password"
              autocomplete="off"
              value={token}
              onInput={(event) => setToken(event.currentTarget.value)}
            />
          </>
        )}
        <button type="submit" class="button-main" aria-busy={isEntering}>
          {t("register.go")}
        </button>
        {session.problem && <ProblemNote problem={session.problem} />}
      </form>
      <ul class="facts" role="list">
        <li>{t("register.fact.direct")}</li>
        <li>{t("register.fact.private")}</li>
        <li>{t("register.fact.learn")}</li>
      </ul>
    </div>
  );
}
