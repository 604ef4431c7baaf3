// An empty room: how to bring somebody in.

import { useState } from "preact/hooks";
import { t } from "../i18n/language";
import { Icon } from "./icon";

const COPIED_MS = 2500;

export function NobodyHere() {
  const [isCopied, setCopied] = useState(false);
  const address = new URL(".", location.href).href;

  const copy = async () => {
    try {
      await navigator.clipboard.writeText(address);
      setCopied(true);
      setTimeout(() => setCopied(false), COPIED_MS);
    } catch {
      // No clipboard on an insecure page: the address below can be selected by hand.
    }
  };

  return (
    <div class="nobody">
      <p class="nobody-title">{t("people.nobody")}</p>
      <p class="hint">{t("people.nobodyHint")}</p>
      <div class="nobody-ways">
        {/* noopener: the new window must not inherit this tab's identity from sessionStorage. */}
        <a class="button-soft" href={address} target="_blank" rel="noopener">
          <Icon name="browser" />
          {t("people.openWindow")}
        </a>
        <button type="button" class="button-soft" onClick={copy}>
          <Icon name={isCopied ? "check" : "copy"} />
          {t(isCopied ? "people.copied" : "people.copy")}
        </button>
      </div>
      <code class="nobody-address">{address}</code>
    </div>
  );
}
