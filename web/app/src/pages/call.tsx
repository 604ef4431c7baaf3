// A call, from the first moment of calling until it is over: picture, controls, panels, and the column beside them.

import type { Call } from "@peerline/sdk";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Bandwidth } from "../parts/bandwidth";
import { Chat } from "../parts/chat";
import { buttonOf, Controls, type PanelName } from "../parts/controls";
import { Devices } from "../parts/devices";
import { Files } from "../parts/files";
import { Inspector } from "../parts/inspector/inspector";
import { Stage } from "../parts/stage";
import { Statistics } from "../parts/statistics";
import { useCall } from "../state/call-hooks";
import { useSamples } from "../state/samples";

export function CallPage({ call }: { call: Call }) {
  useCall(call);
  const samples = useSamples(call);
  const [open, setOpen] = useState<ReadonlySet<PanelName>>(new Set());
  const [speaker, setSpeaker] = useState("");
  const panels = { statistics: useId(), inspector: useId() };
  const opened = useRef<PanelName | null>(null);

  const toggle = (panel: PanelName) => {
    const next = new Set(open);
    opened.current = next.delete(panel) ? null : panel;
    if (opened.current) next.add(panel);
    setOpen(next);
  };
  /** From inside the panel: the focus goes back to the button that opened it. */
  const close = (panel: PanelName) => {
    document.getElementById(buttonOf(panels[panel]))?.focus();
    toggle(panel);
  };

  // On a phone a panel opens below the picture, out of sight.
  useEffect(() => {
    if (opened.current) document.getElementById(panels[opened.current])?.scrollIntoView({ block: "nearest" });
  }, [open]);

  return (
    <div class={open.size ? "call call-with-panels" : "call"}>
      <div class="call-main">
        <Stage call={call} speaker={speaker} />
        <Controls call={call} open={open} panels={panels} onToggle={toggle} />
        {open.size > 0 && (
          <div class="panels">
            {open.has("statistics") && (
              <Statistics id={panels.statistics} samples={samples} onClose={() => close("statistics")} />
            )}
            {open.has("inspector") && (
              <Inspector id={panels.inspector} call={call} onClose={() => close("inspector")} />
            )}
          </div>
        )}
      </div>
      <aside class="call-side">
        <Chat call={call} />
        <Files call={call} />
        <Bandwidth call={call} samples={samples} />
        <Devices call={call} speaker={speaker} onSpeaker={setSpeaker} />
      </aside>
    </div>
  );
}
