// The head of a panel that can be closed.

import type { ComponentChildren } from "preact";
import { t } from "../i18n/language";
import { Icon } from "./icon";

interface Props {
  id: string;
  title: string;
  onClose: () => void;
  children?: ComponentChildren;
}

export function PanelHead({ id, title, onClose, children }: Props) {
  return (
    <div class="panel-head">
      <h2 id={id}>{title}</h2>
      {children}
      <button type="button" class="button-quiet" onClick={onClose} aria-label={t("close")} title={t("close")}>
        <Icon name="close" />
      </button>
    </div>
  );
}
