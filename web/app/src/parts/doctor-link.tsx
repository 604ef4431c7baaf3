// The way to the page /doctor; what the address asks for (language) goes along.

import { t } from "../i18n/language";

const address = () => `doctor${location.search}`;

/** At the bottom of the pages where one waits. */
export function Footer() {
  return (
    <footer class="foot">
      <a href={address()}>{t("doctor.link")}</a>
    </footer>
  );
}

/** Where something has gone wrong already. */
export function AskTheDoctor() {
  return (
    <a class="button-soft" href={address()}>
      {t("doctor.ask")}
    </a>
  );
}
