// A page that came over plain HTTP from another machine gets no camera: says why, and leads to the same page over HTTPS.

import { t } from "../i18n/language";
import { secureAddress } from "../state/problem";
import { Icon } from "./icon";

export function InsecureNote() {
  if (window.isSecureContext) return null;
  return (
    <div class="note note-warn" role="note">
      <Icon name="warning" />
      <div class="note-text">
        <p>
          <strong>{t("insecure.title")}</strong>
        </p>
        <p>{t("insecure.why")}</p>
        <p>
          <a class="button-soft" href={secureAddress(location.href)}>
            {t("insecure.open")}
          </a>
        </p>
      </div>
    </div>
  );
}
