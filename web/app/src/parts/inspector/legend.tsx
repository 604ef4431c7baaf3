// What the colours of the diagram mean.

import { t } from "../../i18n/language";
import { FAMILIES } from "./layout";

export function Legend() {
  return (
    <ul class="legend" role="list" aria-label={t("inspector.legend")}>
      {FAMILIES.map((family) => (
        <li key={family} class={`legend-entry family-${family}`}>
          <span class="legend-mark" aria-hidden="true" />
          {t(`inspector.family.${family}`)}
        </li>
      ))}
    </ul>
  );
}
