// The heads of the three lifelines: me, the server between us, the other person.

import { t } from "../../i18n/language";
import { Icon } from "../icon";
import { LANES } from "./layout";

export function Lanes({ peer }: { peer: string }) {
  return (
    <div class="lanes">
      <span class="lanes-time">{t("inspector.seconds")}</span>
      <div class="lanes-heads">
        {LANES.map((lane) => (
          <span key={lane} class={`lane lane-${lane}`}>
            <Icon name={lane === "server" ? "server" : "browser"} />
            <bdi>{lane === "peer" ? peer : t(`inspector.lane.${lane}`)}</bdi>
          </span>
        ))}
      </div>
    </div>
  );
}
