"""A camera whose picture is noise: it takes as many bits as it may, so that a limit shows.

The browser's own fake camera paints a few plain shapes, which need less than any limit worth setting.
"""

NOISE_CAMERA = """(() => {
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  function noise() {
    const canvas = Object.assign(document.createElement("canvas"), { width: 480, height: 270 });
    const paper = canvas.getContext("2d");
    const image = paper.createImageData(480, 270);
    const dots = new Uint32Array(image.data.buffer);
    setInterval(() => {
      for (let at = 0; at < dots.length; at++) dots[at] = 0xff000000 | (Math.random() * 0x1000000);
      paper.putImageData(image, 0, 0);
    }, 66);
    return canvas.captureStream(15).getVideoTracks()[0];
  }
  navigator.mediaDevices.getUserMedia = async (wish) => {
    const stream = await open({ ...wish, video: false });
    if (wish.video) stream.addTrack(noise());
    return stream;
  };
})()"""
