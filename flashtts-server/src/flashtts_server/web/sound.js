// Sound that is still arriving, as samples: the way from the bytes of any format to what a player and a waveform need.

import { samplesAt } from "./wav.js";

const HELD_BACK = 0.05; // seconds at the end of what has come so far, which more bytes may still change
const GROWTH = 1.3; // decoding starts at the beginning each time, so it is done again only when it is worth it
const LEVEL = 0.01; // seconds of sound in one level of the waveform
const EMPTY = new Uint8Array();

/** Fires `grown` when there are more samples and `complete` when there will be none. */
export class Sound extends EventTarget {
  constructor(format, rate) {
    super();
    this.format = format;
    this.rate = rate;
    this.length = 0;
    this.levels = [];
    this.pieces = [];
    this.complete = false;
    this.mute = false; // the browser cannot decode it
    this.hungry = () => true; // a player that soon has nothing left to play
    this.samples = new Float32Array(rate);
    this.rest = EMPTY;
    this.size = 0;
    this.decoded = 0;
    this.decoding = null;
    this.ended = false;
  }

  /** Return complete sound of samples that are there already. */
  static of(samples, rate) {
    const sound = new Sound("pcm", rate);
    sound.append(samples);
    sound.complete = true;
    return sound;
  }

  get seconds() { return this.length / this.rate; }

  /** Take the next bytes. */
  push(piece) {
    this.pieces.push(piece);
    this.size += piece.length;
    if (this.format === "pcm") this.appendPcm(piece);
    else if (this.format === "wav") this.appendWav(piece);
    else this.decode();
  }

  /** Know that there are no more bytes; resolves when all of them are samples. */
  async finish() {
    this.ended = true;
    if (this.format !== "pcm" && this.format !== "wav") {
      await this.decoding;
      await this.decode();
    }
    this.complete = true;
    this.dispatchEvent(new Event("complete"));
  }

  appendWav(piece) {
    if (this.open) return this.appendPcm(piece);
    const bytes = joined([this.rest, piece]);
    this.rest = bytes;
    const start = samplesAt(bytes);
    if (start === null) return undefined;
    this.open = true;
    this.rest = EMPTY;
    return this.appendPcm(bytes.subarray(start));
  }

  appendPcm(piece) {
    const bytes = joined([this.rest, piece]);
    const count = bytes.length >> 1;
    this.rest = bytes.slice(2 * count);
    if (count) this.append(Float32Array.from(new Int16Array(bytes.buffer, 0, count), (level) => level / 32768));
  }

  decode() {
    this.decoding ??= this.decodeAll().finally(() => { this.decoding = null; });
    return this.decoding;
  }

  async decodeAll() {
    while (this.size > this.decoded && (this.ended || this.hungry() || this.size > GROWTH * this.decoded)) {
      const [size, last] = [this.size, this.ended];
      try {
        const context = new OfflineAudioContext(1, 1, this.rate);
        const samples = (await context.decodeAudioData(joined(this.pieces).buffer)).getChannelData(0);
        const sure = last ? samples.length : samples.length - Math.round(HELD_BACK * this.rate);
        if (sure > this.length) this.append(samples.subarray(this.length, sure));
      } catch {
        this.mute = last; // the beginning of a file may be too short to be one
      }
      this.decoded = size;
    }
  }

  append(samples) {
    if (this.length + samples.length > this.samples.length) {
      const larger = new Float32Array(2 * (this.length + samples.length));
      larger.set(this.samples.subarray(0, this.length));
      this.samples = larger;
    }
    this.samples.set(samples, this.length);
    this.length += samples.length;
    this.measure();
    this.dispatchEvent(new Event("grown"));
  }

  /** Note how loud each hundredth of a second is. */
  measure() {
    const step = Math.round(LEVEL * this.rate);
    for (let at = this.levels.length * step; at + step <= this.length; at += step) {
      let most = 0;
      for (let i = at; i < at + step; i += 1) most = Math.max(most, Math.abs(this.samples[i]));
      this.levels.push(most);
    }
  }
}

/** Return byte arrays as one. */
export function joined(pieces) {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
