// The end in the page. Everything the tests ask of it is a method of window.end.
(() => {
  const channels = new Map();
  const messages = new Map(); // label -> { queue, waiting }
  const candidates = { queue: [], waiting: [] };
  const put = (box, value) => (box.waiting.length ? box.waiting.shift()(value) : box.queue.push(value));
  const take = (box) =>
    box.queue.length ? Promise.resolve(box.queue.shift()) : new Promise((done) => box.waiting.push(done));
  const box = (label) => {
    if (!messages.has(label)) messages.set(label, { queue: [], waiting: [] });
    return messages.get(label);
  };
  const until = async (target, events, isSo) => {
    while (!isSo()) {
      await new Promise((done) => events.forEach((name) => target.addEventListener(name, done, { once: true })));
    }
  };
  const encode = (bytes) => {
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    return btoa(text);
  };
  const decode = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

  let connection;
  const announced = new EventTarget();
  const add = (channel) => {
    channels.set(channel.label, channel);
    channel.binaryType = "arraybuffer";
    channel.onmessage = ({ data }) => put(box(channel.label), data);
    announced.dispatchEvent(new Event("channel"));
  };
  const local = () => ({ type: connection.localDescription.type, sdp: connection.localDescription.sdp });

  window.end = {
    start(configuration) {
      connection = new RTCPeerConnection(configuration);
      connection.onicecandidate = ({ candidate }) => {
        if (!candidate) put(candidates, null);
        else if (candidate.candidate) put(candidates, candidate.toJSON());
      };
      connection.ondatachannel = ({ channel }) => add(channel);
    },
    // Camera and microphone; of the codecs only these two.
    async addMedia([audio, video]) {
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: Boolean(audio),
        video: Boolean(video) && { width: 640, height: 480 },
      });
      for (const track of stream.getTracks()) {
        const sender = connection.addTrack(track, stream);
        const wanted = track.kind === "audio" ? audio : video;
        const { codecs } = RTCRtpSender.getCapabilities(track.kind);
        const chosen = codecs.filter(({ mimeType }) => mimeType.toLowerCase() === `${track.kind}/${wanted}`);
        connection.getTransceivers().find((one) => one.sender === sender).setCodecPreferences([
          ...chosen,
          ...codecs.filter(({ mimeType }) => mimeType === "video/rtx"),
        ]);
      }
      connection.ontrack ??= ({ track, streams }) => {
        const player = document.createElement(track.kind);
        player.srcObject = streams[0] ?? new MediaStream([track]);
        player.autoplay = player.muted = true;
        document.body.append(player);
      };
    },
    addTrack: (track, stream) => void connection.addTrack(track, stream),
    async stats(type) {
      const found = [];
      for (const one of (await connection.getStats()).values()) if (one.type === type) found.push(one);
      return found;
    },
    createChannel: ([label, options]) => add(connection.createDataChannel(label, options)),
    async offer(iceRestart) {
      await connection.setLocalDescription(await connection.createOffer({ iceRestart }));
      return local();
    },
    async answer(offer) {
      await connection.setRemoteDescription(offer);
      await connection.setLocalDescription();
      return local();
    },
    accept: (answer) => connection.setRemoteDescription(answer),
    nextCandidate: () => take(candidates),
    addCandidate: (candidate) => connection.addIceCandidate(candidate),
    async opened(label) {
      await until(announced, ["channel"], () => channels.has(label));
      const channel = channels.get(label);
      await until(channel, ["open"], () => channel.readyState === "open");
      const { ordered, maxRetransmits, maxPacketLifeTime, protocol, negotiated, id } = channel;
      return { ordered, maxRetransmits, maxPacketLifeTime, protocol, negotiated, id };
    },
    sendText: ([label, text]) => channels.get(label).send(text),
    sendBytes: ([label, text]) => channels.get(label).send(decode(text)),
    async sendZeros([label, count, size]) {
      const channel = channels.get(label);
      channel.bufferedAmountLowThreshold = 1 << 18;
      for (let number = 0; number < count; number++) {
        const message = new Uint8Array(size);
        message[0] = number % 256;
        if (channel.bufferedAmount > 1 << 20) await until(channel, ["bufferedamountlow"], () => channel.bufferedAmount <= 1 << 18);
        channel.send(message);
      }
    },
    async received(label) {
      const data = await take(box(label));
      return typeof data === "string" ? { text: data } : { bytes: encode(new Uint8Array(data)) };
    },
    async digest([label, size]) {
      const parts = [];
      while (size > 0) {
        const data = await take(box(label));
        parts.push(data);
        size -= data.byteLength;
      }
      const hash = await crypto.subtle.digest("SHA-256", await new Blob(parts).arrayBuffer());
      return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
    },
    async state(wanted) {
      await until(connection, ["connectionstatechange"], () => wanted.includes(connection.connectionState));
      return connection.connectionState;
    },
    closeChannel: (label) => channels.get(label).close(),
    async closed(label) {
      const channel = channels.get(label);
      await until(channel, ["close"], () => channel.readyState === "closed");
    },
    close: () => connection.close(),
  };
})();
