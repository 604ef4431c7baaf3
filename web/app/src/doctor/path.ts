// The path as boxes: this browser → NAT → server, with what was measured. The picture draws them.

import { t } from "../i18n/language";
import type { Patient } from "./patient";

export interface Box {
  kind: "me" | "nat" | "server";
  title: string;
  lines: string[];
}

/** `agent`: what the browser calls itself. */
export function boxes(patient: Patient, agent: string): Box[] {
  const { facts } = patient;
  const me = [browserName(agent)];
  if (facts.nat === "none") me.push(t("doctor.path.nat.none"));
  const path: Box[] = [{ kind: "me", title: t("doctor.path.me"), lines: me }];
  const [mapped] = facts.mapped;
  if (mapped) {
    const isNat = mapped.isTranslated || facts.nat === "symmetric";
    const lines = [`${mapped.address}`, `${t("doctor.path.port")} ${mapped.port}`];
    if (facts.nat && facts.nat !== "none") lines.push(t(`doctor.path.nat.${facts.nat}`));
    path.push({
      kind: "nat",
      title: t(isNat ? "doctor.path.nat" : "doctor.path.outside"),
      lines,
    });
  } else if (facts.isStunSilent) {
    path.push({ kind: "nat", title: t("doctor.path.firewall"), lines: [t("doctor.path.noUdp")] });
  }
  const measured = facts.roundTrips.map(
    ({ what, ms }) => `${what === "relay" ? t("doctor.path.relay") : what}  ${ms.toFixed(1)} ms`,
  );
  const relayed = Object.values(facts.relayed)[0];
  if (relayed) measured.push(t("doctor.path.relayed", { address: relayed }));
  path.push({ kind: "server", title: t("doctor.path.server"), lines: [patient.base.host, ...measured] });
  return path;
}

/** The same in one sentence, for those who do not see the picture. */
export const described = (path: Box[]): string =>
  path.map(({ title, lines }) => [title, ...lines].join(", ")).join(" → ");

/** Name and version out of navigator.userAgent, which begins with the names of everybody else. */
function browserName(agent: string): string {
  const [, name, version] = /(Edg)\/(\d+)/.exec(agent) ?? /(Firefox|Chrome|Version)\/(\d+)/.exec(agent) ?? [];
  if (!name) return "–";
  return `${{ Edg: "Edge", Version: "Safari" }[name] ?? name} ${version}`;
}
