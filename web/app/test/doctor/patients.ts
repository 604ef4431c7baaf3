// Somebody to examine, with the servers that the test says.

import { type Check, Row } from "../../src/doctor/check";
import { Patient } from "../../src/doctor/patient";
import { connections, type Script } from "./fake-connection";

export function patient(scripts: Record<string, Script> = {}, base = "https://calls.example.org/") {
  const { made, make } = connections(scripts);
  const one = new Patient(new URL(base), { name: "doctor 1", own: "k".repeat(32) }, null, make);
  one.iceServers = Object.keys(scripts).map((url) => ({ urls: [url], username: "u", credential: "c" }));
  return { one, made };
}

/** Runs the check to its end. */
export async function examined(check: Check, who: Patient): Promise<Row> {
  const row = new Row(check);
  await row.run(who);
  return row;
}
