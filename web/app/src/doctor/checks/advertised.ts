// Does the relay tell peers an address that they can reach, or that of a container or of a provider's NAT?

import { type Check, failed, ok, type Outcome, unknown, warning, words } from "../check";
import { type Place, placeOf } from "../place";

export const advertised: Check = {
  name: "advertised",
  timeoutMs: 1000,
  async examine(patient, say) {
    const told = Object.values(patient.facts.relayed)[0];
    if (told === undefined) return unknown(words("doctor.advertised.none"));
    say(words("doctor.advertised.told", { address: told }));
    return judge(patient.base.hostname, told);
  },
};

/** `asked`: the name or address in the page's own address; `told`: what the relay tells peers. */
export function judge(asked: string, told: string): Outcome {
  const here: Place = placeOf(asked) ?? (asked === "localhost" ? "loopback" : "public");
  const there = placeOf(told);
  if (there === "public") return ok(words("doctor.advertised.public"));
  if (there === "loopback") {
    return here === "loopback"
      ? ok(words("doctor.advertised.loopback"))
      : failed(words("doctor.advertised.themselves"), words("doctor.fix.externalIp", { address: told }));
  }
  if (here === "public" || there === "container" || there === "cgnat") {
    const summary = words(
      there === "container"
        ? "doctor.advertised.container"
        : there === "cgnat"
          ? "doctor.advertised.cgnat"
          : "doctor.advertised.private",
    );
    const fix = words("doctor.fix.externalIp", { address: told });
    return here === "public" ? failed(summary, fix) : warning(summary, fix);
  }
  return ok(words("doctor.advertised.lan"));
}
