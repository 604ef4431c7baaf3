// Messages between the two pages, over a data channel: the server sees nothing of them.

import type { Call } from "@peerline/sdk";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { when } from "../i18n/format";
import { t } from "../i18n/language";
import { isUp } from "../state/call-hooks";
import { problemOf, type Problem } from "../state/problem";
import { Icon } from "./icon";
import { ProblemNote } from "./problem-note";
import { SendFile } from "./send-file";

const LONGEST = 16_000;

export function Chat({ call }: { call: Call }) {
  const id = useId();
  const log = useRef<HTMLDivElement>(null);
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<Problem | null>(null);
  const canSend = isUp(call);

  // The newest message stays in sight.
  useLayoutEffect(() => {
    log.current?.scrollTo({ top: log.current.scrollHeight });
  }, [call.chat.length]);

  const submit = (event: Event) => {
    event.preventDefault();
    if (!text.trim()) return;
    try {
      call.send(text.trim());
      setText("");
      setProblem(null);
    } catch (error) {
      setProblem(problemOf(error));
    }
  };

  return (
    <section class="panel chat">
      <h2 id={id}>{t("chat.title")}</h2>
      <div ref={log} class="chat-log" role="log" aria-labelledby={id} tabIndex={0}>
        {call.chat.map((message) => (
          <div key={message.id} class={message.mine ? "bubble bubble-mine" : "bubble"}>
            <span class="unseen">{t(message.mine ? "chat.fromMe" : "chat.from", { name: call.peer.n })}</span>
            <p dir="auto">{message.text}</p>
            <time dateTime={new Date(message.at).toISOString()}>{when(message.at)}</time>
          </div>
        ))}
        {call.chat.length === 0 && <p class="hint">{t("chat.empty")}</p>}
      </div>
      {problem && <ProblemNote problem={problem} onDismiss={() => setProblem(null)} />}
      <form class="chat-form" onSubmit={submit}>
        <SendFile call={call} canSend={canSend} />
        <input
          type="text"
          dir="auto"
          autocomplete="off"
          enterkeyhint="send"
          aria-label={t("chat.message")}
          placeholder={t("chat.placeholder")}
          maxLength={LONGEST}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <button
          type="submit"
          class="button-main button-square"
          aria-label={t("chat.send")}
          title={t("chat.send")}
          disabled={!canSend}
        >
          <Icon name="send" />
        </button>
      </form>
    </section>
  );
}
