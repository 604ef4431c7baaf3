// Two connections of this page talk to each other through the relay and nothing else: what a call needs in the worst case.

import { type Check, failed, Failure, ok, unknown, words } from "../check";
import { networkOf, placeOf } from "../place";
import type { Patient } from "../patient";

const ECHOES = 5;
const CONNECT_MS = 12_000;

export const relayOnly: Check = {
  name: "relayOnly",
  timeoutMs: 20_000,
  async examine(patient, say, signal) {
    if (!patient.hasRelay) return unknown(words("doctor.relayOnly.noRelay"));
    const configuration: RTCConfiguration = { iceServers: patient.iceServers, iceTransportPolicy: "relay" };
    const one = patient.newConnection(configuration);
    const other = patient.newConnection(configuration);
    const close = () => [one, other].forEach((connection) => connection.close());
    signal.addEventListener("abort", close);
    try {
      const channel = one.createDataChannel("echo");
      other.ondatachannel = ({ channel: theirs }) => {
        theirs.onmessage = ({ data }) => theirs.send(data as string);
      };
      one.oniceconnectionstatechange = () =>
        say(words("doctor.relayOnly.state", { state: one.iceConnectionState }));
      const opened = open(channel, patient);
      // Listened for from the first moment, so that no rejection goes unheard while we introduce the two.
      opened.catch(() => undefined);
      await introduce(one, other);
      await opened;
      const taken: number[] = [];
      for (let number = 0; number < ECHOES; number++) taken.push(await echo(channel, String(number)));
      const ms = taken.sort((a, b) => a - b)[Math.floor(ECHOES / 2)]!;
      patient.facts.roundTrips.push({ what: "relay", ms });
      say(words("doctor.relayOnly.echoed", { count: ECHOES }));
      return ok(words("doctor.relayOnly.ok", { ms: ms.toFixed(1) }));
    } finally {
      close();
    }
  },
};

/** Offer, answer and candidates, handed over without a server. */
async function introduce(one: RTCPeerConnection, other: RTCPeerConnection): Promise<void> {
  const waiting: [RTCPeerConnection, RTCIceCandidate][] = [];
  const hand = (to: RTCPeerConnection) => (event: RTCPeerConnectionIceEvent) => {
    if (!event.candidate) return;
    if (to.remoteDescription) void to.addIceCandidate(event.candidate).catch(() => undefined);
    else waiting.push([to, event.candidate]);
  };
  one.onicecandidate = hand(other);
  other.onicecandidate = hand(one);
  await one.setLocalDescription();
  await other.setRemoteDescription(one.localDescription!);
  await other.setLocalDescription();
  await one.setRemoteDescription(other.localDescription!);
  for (const [to, candidate] of waiting) void to.addIceCandidate(candidate).catch(() => undefined);
}

function open(channel: RTCDataChannel, patient: Patient): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Failure(notConnected(patient))), CONNECT_MS);
    channel.onopen = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}

/** Allocations there are, but no packet: the relay's policy forbids its own address as a peer, or its ports are closed. */
function notConnected(patient: Patient) {
  const relayed = Object.values(patient.facts.relayed)[0];
  const place = relayed ? placeOf(relayed) : null;
  const isForbidden = relayed !== undefined && place !== null && place !== "public";
  return failed(
    words("doctor.relayOnly.failed"),
    isForbidden
      ? words("doctor.fix.allowPeer", { address: networkOf(relayed) })
      : words("doctor.fix.relayPortsOpen"),
  );
}

function echo(channel: RTCDataChannel, text: string): Promise<number> {
  return new Promise((resolve) => {
    const sent = performance.now();
    channel.onmessage = ({ data }) => {
      if (data === text) resolve(performance.now() - sent);
    };
    channel.send(text);
  });
}
