// The player at the foot of the page: waveform, position, the figures of the run, the file.

import { at, clock, iconButton, make, relabel } from "./dom.js";
import { language, t } from "./texts.js";
import { drawWave } from "./wave.js";

const EVERY = 250; // milliseconds between two words to screen readers and the page about the position

/** Return seconds with as many digits as mean something, as the language writes them. */
export function figure(seconds) {
  const digits = seconds < 1 ? 2 : 1;
  return seconds.toLocaleString(language(), { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Start the download of a run's file. */
export function download(run) {
  const { name, content } = run.file();
  const link = make("a", { href: URL.createObjectURL(content), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** Shows one run at a time and plays its sound with `player`. */
export class Dock {
  constructor(player) {
    this.player = player;
    this.run = null;
    this.told = 0;
    this.root = at("dock");
    this.wave = at("wave");
    this.position = at("position");
    this.toggle = iconButton("play", "", () => player.toggle(), { className: "round", id: "toggle" });
    this.save = iconButton("download", "", () => download(this.run), { id: "download" });
    at("dock-play").append(this.toggle);
    at("dock-save").append(this.save);
    this.position.addEventListener("input", () => player.seek(Number(this.position.value)));
    player.addEventListener("change", () => this.draw());
    document.addEventListener("language", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(this.wave);
    document.addEventListener("colours", () => this.draw());
  }

  /** Show another run; its sound plays as soon as there is some, if `play`. */
  show(run, { play }) {
    this.run = run;
    this.player.load(null);
    const follow = () => {
      if (this.run !== run) return;
      if (run.sound && this.player.sound !== run.sound) {
        this.player.load(run.sound);
        if (play) this.player.play();
      }
      this.draw();
    };
    run.addEventListener("change", follow);
    follow();
  }

  /** The length of the waveform: what there is, or what is expected while it grows. */
  get span() {
    const { run } = this;
    return Math.max(run.duration, run.running ? run.job.estimate ?? 0 : 0, 0.1);
  }

  draw() {
    const { run, player } = this;
    this.root.hidden = !run?.sound;
    if (this.root.hidden) return;
    const label = t(player.playing ? "player.pause" : "player.play");
    if (this.toggle.title !== label) relabel(this.toggle, player.playing ? "pause" : "play", label);
    relabel(this.save, "download", t("player.download"));
    this.save.disabled = run.running || run.state === "failed";
    at("dock-title").textContent = run.job.title;
    at("figures").textContent = this.figures();
    this.drawPosition();
    if (player.playing && !this.ticking) this.tick();
  }

  drawPosition() {
    const { player, run } = this;
    drawWave(this.wave, run.sound.levels, { seconds: this.span, to: player.seconds });
    const words = t("player.time", { time: clock(player.seconds), duration: clock(run.duration) });
    if (at("time").textContent !== words) at("time").textContent = words;
    if (performance.now() - this.told < EVERY && player.playing) return;
    this.told = performance.now();
    this.position.max = this.span;
    this.position.value = player.seconds;
    this.position.setAttribute("aria-valuetext", words);
  }

  tick() {
    this.ticking = true;
    requestAnimationFrame(() => {
      this.ticking = false;
      if (!this.player.playing) return;
      this.drawPosition();
      this.root.dispatchEvent(new Event("tick"));
      this.tick();
    });
  }

  figures() {
    const { run } = this;
    const parts = [];
    if (run.firstSound !== null) parts.push(t("run.stats.first", { first: figure(run.firstSound) }));
    if (run.took !== null && run.duration) {
      const factor = (run.took / run.duration).toLocaleString(language(), { maximumSignificantDigits: 2 });
      parts.push(t("run.stats.complete", { duration: figure(run.duration), took: figure(run.took), factor }));
    }
    return parts.join(" · ");
  }
}
