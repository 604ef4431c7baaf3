// Puts the steps of the two sides into one list, as they happened.

import type { Step } from "@peerline/sdk";

/**
 * By time, but never against the order in which one side did its own steps: the other side's clock is only estimated,
 * while each side knows its own order for sure.
 */
export function inOrder(steps: readonly Step[]): Step[] {
  const local = steps.filter((step) => step.side === "local");
  const remote = steps.filter((step) => step.side === "remote");
  const merged: Step[] = [];
  while (local.length && remote.length) {
    merged.push(remote[0]!.at < local[0]!.at ? remote.shift()! : local.shift()!);
  }
  return [...merged, ...local, ...remote];
}
