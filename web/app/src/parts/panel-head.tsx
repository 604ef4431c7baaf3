// The head of a panel that can be closed, by its button or by Escape.

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n/language";
import { Icon } from "./icon";

interface Props {
  id: string;
  title: string;
  onClose: () => void;
  children?: ComponentChildren;
}

export function PanelHead({ id, title, onClose, children }: Props) {
  const head = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const panel = head.current?.parentElement;
    const close = (event: KeyboardEvent) => event.key === "Escape" && onClose();
    panel?.addEventListener("keydown", close);
    return () => panel?.removeEventListener("keydown", close);
  }, [onClose]);
  return (
    <div class="panel-head" ref={head}>
      <h2 id={id}>{title}</h2>
      {children}
      <button type="button" class="button-quiet" onClick={onClose} aria-label={t("close")} title={t("close")}>
        <Icon name="close" />
      </button>
    </div>
  );
}
