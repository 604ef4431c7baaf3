// How a check goes from idle to its end, and an examination from the first stage to the last.

import { afterEach, describe, expect, it, vi } from "vitest";
import {
  type Check,
  failed,
  Failure,
  ok,
  type Outcome,
  Row,
  unknown,
  warning,
  words,
} from "../../src/doctor/check";
import { Examination } from "../../src/doctor/examination";
import { patient } from "./patients";

const fine = ok(words("doctor.nat.none"));

function made(examine: Check["examine"], name: Check["name"] = "nat"): Check {
  return { name, timeoutMs: 1000, examine };
}

async function course(check: Check) {
  const row = new Row(check);
  const states: string[] = [row.state];
  row.watch(() => states.push(row.state));
  await row.run(patient().one);
  return { row, states };
}

afterEach(() => void vi.useRealTimers());

describe("a check", () => {
  it("goes from idle over running to its end", async () => {
    const { states } = await course(made(async () => fine));
    expect(states).toEqual(["idle", "running", "ok"]);
  });

  it("says what it saw while it runs", async () => {
    const { row, states } = await course(
      made(async (_patient, say) => {
        say(words("doctor.http.flows"));
        return fine;
      }),
    );
    expect(states).toEqual(["idle", "running", "running", "ok"]);
    expect(row.log).toEqual([words("doctor.http.flows")]);
  });

  it("ends with the outcome that is thrown from deep inside", async () => {
    const outcome = failed(words("doctor.http.nothing"), words("doctor.fix.serve"));
    const { row } = await course(made(() => Promise.reject(new Failure(outcome))));
    expect(row.outcome).toEqual(outcome);
  });

  it("that breaks has failed, and takes nothing with it", async () => {
    const { row } = await course(made(() => Promise.reject(new TypeError("x"))));
    expect(row.state).toBe("failed");
    expect(row.outcome?.summary).toEqual(words("doctor.broke", { detail: "TypeError" }));
  });

  it("that takes too long has failed, and is told to stop", async () => {
    vi.useFakeTimers();
    let stopped = false;
    const running = course(
      made((_patient, _say, signal) => {
        signal.addEventListener("abort", () => (stopped = true));
        return new Promise<Outcome>(() => {});
      }),
    );
    await vi.advanceTimersByTimeAsync(1000);
    const { row } = await running;
    expect(row.outcome?.summary).toEqual(words("doctor.tooLate", { seconds: 1 }));
    expect(stopped).toBe(true);
  });

  it("runs once", async () => {
    const { row } = await course(made(async () => fine));
    await expect(row.run(patient().one)).rejects.toThrow("once");
  });
});

describe("an examination", () => {
  const ends = (outcome: Outcome, name: Check["name"]) => made(async () => outcome, name);

  it("begins a stage when the one before is over", async () => {
    const order: string[] = [];
    const slow = made(async () => {
      await Promise.resolve();
      order.push("first");
      return fine;
    });
    const examination = new Examination(patient().one, [
      [slow],
      [made(async () => (order.push("second"), fine), "stun")],
    ]);
    expect(examination.verdict).toBe("running");
    await examination.run();
    expect(order).toEqual(["first", "second"]);
    expect([examination.done, examination.verdict]).toEqual([2, "ok"]);
  });

  it("is as bad as the worst of its checks, and what is unknown is no warning", async () => {
    const verdict = async (...outcomes: Outcome[]) => {
      const names = ["stun", "nat", "clock"] as const;
      const examination = new Examination(patient().one, [outcomes.map((one, at) => ends(one, names[at]!))]);
      await examination.run();
      return examination.verdict;
    };
    expect(await verdict(fine, unknown(words("doctor.stun.none")))).toBe("ok");
    expect(await verdict(fine, warning(words("doctor.nat.symmetric")))).toBe("warning");
    expect(await verdict(failed(words("doctor.http.nothing")), warning(words("doctor.nat.symmetric")))).toBe(
      "failed",
    );
  });
});
