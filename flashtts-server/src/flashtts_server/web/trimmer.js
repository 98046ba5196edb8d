// Chooses the part of a recording that is used, by ear and by eye.

import { make } from "./dom.js";
import { Sound } from "./sound.js";
import { t } from "./texts.js";
import { drawWave } from "./wave.js";

const figure = (seconds) => seconds.toFixed(1);
const LEAST = 1; // seconds that a voice needs

/** Draws into `root`; `from` and `to` are seconds of `recording`, at most `limit` apart. */
export class Trimmer {
  constructor(root, recording, limit) {
    Object.assign(this, { recording, limit, from: 0 });
    this.sound = Sound.of(recording.samples, recording.rate);
    this.seconds = this.sound.seconds;
    this.to = Math.min(limit, this.seconds);
    this.canvas = make("canvas", { className: "wave", "aria-hidden": "true" });
    this.ends = ["start", "end"].map((end) => this.range(end));
    this.words = make("p", { className: "faint small", role: "status" });
    root.replaceChildren(make("div", { className: "trim" }, this.canvas, ...this.ends), this.words);
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    this.draw();
  }

  /** Say whether all of the recording is used. */
  get whole() { return this.from === 0 && this.to === this.seconds; }

  /** Return the samples of the part. */
  get samples() {
    const { samples, rate } = this.recording;
    return samples.slice(Math.round(this.from * rate), Math.round(this.to * rate));
  }

  get tooShort() { return this.to - this.from < LEAST; }

  range(end) {
    const range = make("input", { type: "range", className: end, min: 0, max: this.seconds, step: 0.1 });
    range.addEventListener("input", () => this.move(end, Number(range.value)));
    return range;
  }

  move(end, value) {
    const least = Math.min(LEAST, this.seconds);
    if (end === "start") {
      this.from = Math.min(value, this.seconds - least);
      this.to = Math.min(Math.max(this.to, this.from + least), this.from + this.limit);
    } else {
      // The last step of the slider may fall short of the end.
      this.to = value > this.seconds - 0.1 ? this.seconds : Math.max(value, least);
      this.from = Math.max(Math.min(this.from, this.to - least), this.to - this.limit);
    }
    this.draw();
  }

  draw() {
    const { from, to, seconds } = this;
    for (const [i, value] of [from, to].entries()) {
      this.ends[i].value = value;
      this.ends[i].setAttribute("aria-label", t(i ? "clone.end" : "clone.start"));
      this.ends[i].setAttribute("aria-valuetext", `${figure(value)} s`);
    }
    const part = { start: figure(from), end: figure(to), length: figure(to - from) };
    this.words.textContent = this.tooShort ? t("clone.tooshort") : t("clone.part", part);
    drawWave(this.canvas, this.sound.levels, { seconds, from, to });
  }
}
