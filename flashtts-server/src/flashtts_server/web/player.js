// Plays one sound without gaps, also while it is still arriving.

const LEAD = 0.03; // seconds between scheduling and hearing
const ENOUGH = 0.4; // seconds to gather after the sound has run dry
const HUNGRY = 2; // seconds left to play at which more are wanted

/** Fires `change` when it starts, stops, or gets another sound. */
export class Player extends EventTarget {
  constructor() {
    super();
    this.sound = null;
    this.playing = false;
    this.context = null;
    this.origin = null; // the frame of the context at which the sound began, or null before it is scheduled
    this.next = 0; // the first sample that is not scheduled
    this.position = 0; // the sample to start from
    this.nodes = new Set();
    this.schedule = this.schedule.bind(this);
  }

  /** Take another sound, and stop the one before. */
  load(sound) {
    this.pause();
    this.sound?.removeEventListener("grown", this.schedule);
    this.sound?.removeEventListener("complete", this.schedule);
    this.sound = sound;
    this.position = 0;
    sound?.addEventListener("grown", this.schedule);
    sound?.addEventListener("complete", this.schedule);
    if (sound) sound.hungry = () => this.playing && this.next - this.heard() < HUNGRY * sound.rate;
    this.dispatchEvent(new Event("change"));
  }

  get seconds() { return this.sound ? this.heard() / this.sound.rate : 0; }

  play() {
    if (!this.sound || this.playing) return;
    if (this.context?.sampleRate !== this.sound.rate) {
      this.context?.close();
      this.context = new AudioContext({ sampleRate: this.sound.rate });
    }
    this.context.resume();
    if (this.sound.complete && this.position >= this.sound.length) this.position = 0;
    this.playing = true;
    this.begin(this.position);
    this.dispatchEvent(new Event("change"));
  }

  pause() {
    if (!this.playing) return;
    this.position = this.heard();
    this.playing = false;
    this.silence();
    this.dispatchEvent(new Event("change"));
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  seek(seconds) {
    const sample = Math.min(Math.round(seconds * this.sound.rate), this.sound.length);
    this.position = sample;
    if (this.playing) this.begin(sample);
    this.dispatchEvent(new Event("change"));
  }

  /** Return the sample that is heard now. */
  heard() {
    if (!this.playing || this.origin === null) return this.position;
    const now = Math.floor(this.context.currentTime * this.sound.rate) - this.origin;
    return Math.max(this.position, Math.min(now, this.next));
  }

  begin(sample) {
    this.silence();
    this.position = sample;
    this.next = sample;
    this.origin = null;
    this.schedule();
  }

  silence() {
    for (const node of this.nodes) {
      node.onended = null;
      node.stop();
    }
    this.nodes.clear();
  }

  /** Hand what is there and not scheduled yet to the browser, right behind what is. */
  schedule() {
    const { sound, context } = this;
    if (!this.playing) return;
    const count = sound.length - this.next;
    if (count <= 0) {
      if (sound.complete && this.nodes.size === 0) this.finish();
      return;
    }
    const now = Math.ceil((context.currentTime + LEAD) * sound.rate);
    if (this.origin === null || this.origin + this.next < context.currentTime * sound.rate) {
      if (this.origin !== null && !sound.complete && count < ENOUGH * sound.rate) return;
      this.origin = now - this.next;
    }
    const buffer = context.createBuffer(1, count, sound.rate);
    buffer.copyToChannel(sound.samples.subarray(this.next, sound.length), 0);
    const node = context.createBufferSource();
    node.buffer = buffer;
    node.connect(context.destination);
    node.onended = () => {
      this.nodes.delete(node);
      this.schedule();
    };
    node.start((this.origin + this.next) / sound.rate);
    this.nodes.add(node);
    this.next = sound.length;
  }

  finish() {
    this.playing = false;
    this.position = 0;
    this.dispatchEvent(new Event("change"));
  }
}
