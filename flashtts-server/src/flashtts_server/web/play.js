// Plays speech while it arrives: mp3 through MediaSource, pcm through WebAudio, anything else once it is complete.

/** A 44-byte header that makes s16le mono samples a wav file. */
function wavHeader(bytes, rate) {
  const view = new DataView(new ArrayBuffer(44));
  const text = (at, word) => [...word].forEach((char, i) => view.setUint8(at + i, char.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + bytes, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, bytes, true);
  return view.buffer;
}

class MediaSourcePlayer {
  constructor(player, type) {
    this.player = player;
    this.queue = [];
    this.ended = false;
    this.source = new MediaSource();
    this.url = URL.createObjectURL(this.source);
    player.src = this.url;
    this.source.addEventListener("sourceopen", () => {
      this.buffer = this.source.addSourceBuffer(type);
      this.buffer.addEventListener("updateend", () => this.feed());
      this.feed();
    }, { once: true });
    player.play().catch(() => {}); // a browser that forbids it leaves the controls to the user
  }

  feed() {
    if (!this.buffer || this.buffer.updating || this.source.readyState !== "open") return;
    if (this.queue.length) this.append();
    else if (this.ended) this.source.endOfStream();
  }

  append() {
    try {
      this.buffer.appendBuffer(this.queue[0]);
      this.queue.shift();
    } catch (error) {
      if (error.name !== "QuotaExceededError") throw error;
      // The browser's buffer is full: forget what was heard, and go on once more has been.
      const heard = this.player.currentTime - 5;
      if (heard > 0) this.buffer.remove(0, heard);
      else this.player.addEventListener("timeupdate", () => this.feed(), { once: true });
    }
  }

  push(piece) { this.queue.push(piece); this.feed(); }
  end() { this.ended = true; this.feed(); }
  stop() { this.queue = []; this.end(); }
}

class PcmPlayer {
  constructor(rate) {
    this.rate = rate;
    this.context = new AudioContext({ sampleRate: rate });
    this.next = 0;
    this.odd = new Uint8Array();
  }

  push(piece) {
    const bytes = new Uint8Array(this.odd.length + piece.length);
    bytes.set(this.odd);
    bytes.set(piece, this.odd.length);
    const count = bytes.length >> 1;
    this.odd = bytes.slice(2 * count);
    if (!count) return;
    const view = new DataView(bytes.buffer);
    const buffer = this.context.createBuffer(1, count, this.rate);
    const samples = buffer.getChannelData(0);
    for (let i = 0; i < count; i += 1) samples[i] = view.getInt16(2 * i, true) / 32768;
    const node = this.context.createBufferSource();
    node.buffer = buffer;
    node.connect(this.context.destination);
    this.next = Math.max(this.next, this.context.currentTime + 0.05);
    node.start(this.next);
    this.next += buffer.duration;
  }

  end() {}
  stop() { this.context.close(); }
}

const silent = { push() {}, end() {}, stop() {} };

/** Return what plays the pieces of an answer as they come. */
export function livePlayer(player, format, type, rate) {
  if (format === "pcm") return new PcmPlayer(rate);
  if (format === "mp3" && window.MediaSource?.isTypeSupported(type)) return new MediaSourcePlayer(player, type);
  return silent;
}

/** Return the complete answer as something that an audio element plays. */
export function playable(pieces, format, type, rate) {
  if (format !== "pcm") return new Blob(pieces, { type });
  const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return new Blob([wavHeader(bytes, rate), ...pieces], { type: "audio/wav" });
}
