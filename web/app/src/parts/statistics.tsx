// What is measured of the call, once a second: round trip, loss, bitrates, codecs, resolution and the way the packets take.

import type { CallStats, StreamStats } from "@peerline/sdk";
import { useId } from "preact/hooks";
import { measured, number } from "../i18n/format";
import { t } from "../i18n/language";
import { useObservable } from "../state/observable";
import type { Samples } from "../state/samples";
import { PanelHead } from "./panel-head";
import { Sparkline } from "./sparkline";

export function Statistics({ id, samples, onClose }: { id: string; samples: Samples; onClose: () => void }) {
  const title = useId();
  const { kept, latest } = useObservable(samples);
  return (
    <section class="panel statistics" id={id} aria-labelledby={title}>
      <PanelHead id={title} title={t("statistics.title")} onClose={onClose} />
      <div class="tiles">
        <Tile
          label={t("statistics.rtt")}
          value={measured(latest?.rttMs, "ms", 1)}
          values={kept.map((s) => s.rttMs)}
        />
        <Tile
          label={t("statistics.loss")}
          value={measured(worstLoss(latest), "%", 1)}
          values={kept.map((sample) => worstLoss(sample))}
        />
        <Tile
          label={t("statistics.in")}
          value={measured(total(latest, "in"), "kbit/s")}
          values={kept.map((s) => total(s, "in"))}
        />
        <Tile
          label={t("statistics.out")}
          value={measured(total(latest, "out"), "kbit/s")}
          values={kept.map((sample) => total(sample, "out"))}
        />
      </div>
      <Path latest={latest} />
      <Streams latest={latest} />
    </section>
  );
}

function Tile({ label, value, values }: { label: string; value: string; values: (number | null)[] }) {
  return (
    <div class="tile">
      <span class="tile-label">{label}</span>
      <span class="tile-value">{value}</span>
      <Sparkline values={values} />
    </div>
  );
}

/** The candidate pair in use (RFC 8445), as a picture of three words. */
function Path({ latest }: { latest: CallStats | null }) {
  const pair = latest?.pair;
  if (!pair) return <p class="hint">{t("statistics.noPair")}</p>;
  return (
    <div class={pair.relayed ? "path path-relayed" : "path"}>
      <strong>{t(pair.relayed ? "statistics.relayed" : "statistics.direct")}</strong>
      <span class="path-pair">
        <code>{pair.local}</code>
        <span aria-hidden="true">↔</span>
        <code>{pair.remote}</code>
        <code>{pair.protocol}</code>
      </span>
      <span class="hint">{t(pair.relayed ? "statistics.relayedHint" : "statistics.directHint")}</span>
    </div>
  );
}

const ROWS = ["bitrate", "lost", "jitter", "codec", "resolution", "frames", "packets"] as const;

function Streams({ latest }: { latest: CallStats | null }) {
  if (!latest) return null;
  const columns = [
    ["video", "in"],
    ["video", "out"],
    ["audio", "in"],
    ["audio", "out"],
  ] as const;
  return (
    <div class="table-frame" tabIndex={0} role="group" aria-label={t("statistics.streams")}>
      <table>
        <thead>
          <tr>
            <th scope="col">
              <span class="unseen">{t("statistics.what")}</span>
            </th>
            {columns.map(([kind, way]) => (
              <th key={kind + way} scope="col">
                {t(`statistics.${kind}.${way}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {ROWS.map((row) => (
            <tr key={row}>
              <th scope="row">{t(`statistics.row.${row}`)}</th>
              {columns.map(([kind, way]) => (
                <td key={kind + way}>{cell(row, latest[kind][way])}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function cell(row: (typeof ROWS)[number], stream: StreamStats): string {
  switch (row) {
    case "bitrate":
      return measured(stream.bitrateKbps, "kbit/s");
    case "lost":
      return stream.lossPct === null
        ? t("none")
        : `${number(stream.packetsLost)} (${measured(stream.lossPct, "%", 1)})`;
    case "jitter":
      return measured(stream.jitterMs, "ms", 1);
    case "codec":
      return stream.codec ?? t("none");
    case "resolution":
      return stream.width && stream.height ? `${stream.width} × ${stream.height}` : t("none");
    case "frames":
      return measured(stream.fps, "fps");
    case "packets":
      return number(stream.packets);
  }
}

function total(sample: CallStats | null, way: "in" | "out"): number | null {
  if (!sample) return null;
  const { audio, video } = sample;
  if (audio[way].bitrateKbps === null && video[way].bitrateKbps === null) return null;
  return (audio[way].bitrateKbps ?? 0) + (video[way].bitrateKbps ?? 0);
}

/** The higher loss of what comes in, in percent of the last second. */
function worstLoss(sample: CallStats | null): number | null {
  const losses = [sample?.audio.in.lossPct, sample?.video.in.lossPct].filter(
    (loss) => typeof loss === "number",
  );
  return losses.length ? Math.max(...losses) : null;
}
