// What is told: addresses judged, the picture laid out, the report with and without what is private.

import { describe, expect, it } from "vitest";
import { type Check, ok, warning, words } from "../../src/doctor/check";
import { judge } from "../../src/doctor/checks/advertised";
import { Examination } from "../../src/doctor/examination";
import { boxes, described } from "../../src/doctor/path";
import { networkOf, placeOf } from "../../src/doctor/place";
import { report } from "../../src/doctor/report";
import { place } from "../../src/parts/doctor/path-picture";
import { patient } from "./patients";

const CHROME =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";

describe("an address", () => {
  it.each([
    ["127.0.0.1", "loopback"],
    ["::1", "loopback"],
    ["169.254.1.1", "linkLocal"],
    ["fe80::1", "linkLocal"],
    ["172.17.0.2", "container"],
    ["100.64.0.1", "cgnat"],
    ["100.128.0.1", "public"],
    ["10.1.2.3", "private"],
    ["172.31.0.1", "private"],
    ["172.32.0.1", "public"],
    ["192.168.1.1", "private"],
    ["fd00::1", "private"],
    ["[2001:db8::1]", "public"],
    ["calls.example.org", null],
    ["300.1.1.1", null],
  ])("%s is %s", (address, expected) => expect(placeOf(address)).toBe(expected));

  it("has a network to allow", () => {
    expect(["127.0.0.1", "::1", "192.168.7.9", "fd00::1"].map(networkOf)).toEqual([
      "127.0.0.0/8",
      "::1/128",
      "192.168.7.0/24",
      "fd00::1/128",
    ]);
  });

  it.each([
    ["calls.example.org", "203.0.113.1", "ok"],
    ["localhost", "127.0.0.1", "ok"],
    ["192.168.1.5", "192.168.1.5", "ok"],
    ["calls.example.org", "172.17.0.2", "failed"],
    ["203.0.113.1", "10.0.0.5", "failed"],
    ["calls.example.org", "127.0.0.1", "failed"],
    ["192.168.1.5", "172.17.0.2", "warning"],
    ["100.64.1.1", "100.64.1.1", "warning"],
  ])("asked at %s, told as %s is %s", (asked, told, state) => expect(judge(asked, told).state).toBe(state));
});

describe("the picture", () => {
  it("has a NAT where there is one", () => {
    const { one } = patient();
    one.facts.nat = "symmetric";
    one.facts.mapped = [{ address: "198.51.100.7", port: 61_234, isTranslated: true }];
    one.facts.roundTrips = [{ what: "WebSocket", ms: 12.34 }];
    one.facts.relayed = { udp: "203.0.113.1" };
    const path = boxes(one, CHROME);
    expect(path.map(({ kind }) => kind)).toEqual(["me", "nat", "server"]);
    expect(described(path)).toContain("198.51.100.7");
    expect(described(path)).toContain("12.3 ms");
    expect(described(path)).toContain("Chrome 156");
  });

  it("claims no NAT where the browser hides its own address", () => {
    const { one } = patient();
    one.facts.mapped = [{ address: "198.51.100.7", port: 61_234, isTranslated: false }];
    expect(boxes(one, CHROME)[1]!.title).toBe("Seen from outside");
  });

  it("has a firewall where no STUN server answers, and nothing between else", () => {
    const { one } = patient();
    expect(boxes(one, CHROME).map(({ kind }) => kind)).toEqual(["me", "server"]);
    one.facts.isStunSilent = true;
    expect(boxes(one, "")[1]!.lines).toEqual(["no UDP passes"]);
  });

  it.each([true, false])("keeps its boxes apart and inside (below each other: %s)", (isNarrow) => {
    const path = ["me", "nat", "server"].map(
      (kind) => ({ kind, title: kind, lines: ["one", "two"] }) as never,
    );
    const placed = place(path, isNarrow);
    expect(placed.arrows).toHaveLength(2);
    placed.boxes.forEach(({ x, y, height }, number) => {
      expect(x + 216).toBeLessThanOrEqual(placed.width);
      expect(y + height).toBeLessThanOrEqual(placed.height);
      const next = placed.boxes[number + 1];
      if (next) expect(isNarrow ? next.y - (y + height) : next.x - (x + 216)).toBeGreaterThan(20);
    });
  });
});

describe("the report", () => {
  const check: Check = {
    name: "relayUdp",
    timeoutMs: 1000,
    async examine(_patient, say) {
      say(words("doctor.relay.given", { address: "203.0.113.1 : 50000" }));
      say(words("doctor.ice.log", { addressUrl: "turn:calls.example.org", code: 701, text: "no answer" }));
      return warning(words("doctor.ice.701"), words("doctor.fix.allowPeer", { address: "10.0.0.0/24" }));
    },
  };
  const fine: Check = { name: "nat", timeoutMs: 1000, examine: async () => ok(words("doctor.nat.none")) };

  const made = async (showsAddresses: boolean) => {
    const examination = new Examination(patient().one, [[check, fine]]);
    await examination.run();
    return report(examination, showsAddresses, CHROME);
  };

  it("shows no address and no name of a server by itself", async () => {
    const text = await made(false);
    for (const secret of ["203.0.113.1", "10.0.0.0", "example.org"]) expect(text).not.toContain(secret);
    expect(text).toContain("! Relay over UDP: The server cannot be reached this way (701).");
    expect(text).toContain("701 no answer");
    expect(text).toContain("→ --allow-peer [address]");
    expect(text).toContain("✓ NAT");
  });

  it("shows them where they are wanted", async () => {
    const text = await made(true);
    for (const wanted of ["203.0.113.1 : 50000", "--allow-peer 10.0.0.0/24", "https://calls.example.org/"])
      expect(text).toContain(wanted);
  });
});
