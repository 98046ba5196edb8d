// Takes the recording of a new voice: dropped, chosen or spoken, trimmed, and listened to before it is sent.

import { at, clock, icon } from "./dom.js";
import { Player } from "./player.js";
import { Microphone, readRecording } from "./recording.js";
import { Sound } from "./sound.js";
import { t } from "./texts.js";
import { Trimmer } from "./trimmer.js";
import { wavOf } from "./wav.js";

/** Fires `change` when there is another recording, or none. */
export class ReferenceTaker extends EventTarget {
  constructor(limits, complain) {
    super();
    Object.assign(this, { limits, complain, recording: null, microphone: null, trimmer: null });
    this.player = new Player();
    this.player.addEventListener("change", () => this.drawListen());
    at("recording-file").addEventListener("change", (event) => this.take(event.target.files[0]));
    at("record").addEventListener("click", () => this.record().catch(complain));
    at("listen").addEventListener("click", () => this.listen());
    at("other").addEventListener("click", () => this.forget());
    document.addEventListener("language", () => this.draw());
    this.draw();
  }

  /** Take a file. */
  async take(file) {
    if (!file) return;
    try {
      this.use(await readRecording(file));
    } catch (error) {
      this.complain(error);
    }
    at("recording-file").value = "";
  }

  /** Return the recording as a file to send; throws a sentence if it cannot be sent. */
  file() {
    const { recording, trimmer } = this;
    if (trimmer?.tooShort) throw new Error(t("clone.tooshort"));
    const whole = !trimmer || (trimmer.whole && recording.name !== "recording");
    const file = whole ? recording.file : new File([wavOf(trimmer.samples, recording.rate)], "recording.wav");
    if (file.size <= this.limits.upload_bytes) return file;
    const limit = Math.floor(this.limits.upload_bytes / 1e6);
    throw new Error(t("clone.large", { name: recording.name, limit }));
  }

  use(recording) {
    this.player.pause();
    this.recording = recording;
    this.trimmer = null;
    this.draw();
    if (recording?.samples) this.trimmer = new Trimmer(at("trimmer"), recording, this.limits.reference_seconds);
    this.dispatchEvent(new Event("change"));
  }

  forget() {
    this.use(null);
    at("choose").focus();
  }

  async record() {
    if (this.microphone) return this.finishRecording();
    const microphone = new Microphone();
    microphone.addEventListener("level", () => this.drawLevel());
    microphone.addEventListener("full", () => this.finishRecording());
    await microphone.start();
    this.microphone = microphone;
    return this.draw();
  }

  async finishRecording() {
    const { microphone } = this;
    this.microphone = null;
    this.use(await readRecording(await microphone.stop()));
    at("listen").focus();
  }

  listen() {
    if (this.player.playing) return this.player.pause();
    this.player.load(Sound.of(this.trimmer.samples, this.recording.rate));
    return this.player.play();
  }

  draw() {
    const { recording, microphone } = this;
    at("take").hidden = recording !== null;
    at("taken").hidden = recording === null;
    at("level").hidden = microphone === null;
    at("choose").hidden = microphone !== null;
    at("record").replaceChildren(icon(microphone ? "stop" : "microphone"), t(microphone ? "clone.finish" : "clone.record"));
    at("listen").hidden = !recording?.samples;
    if (recording) at("trimmer").textContent = recording.samples ? "" : t("clone.raw", { name: recording.name });
    if (recording?.samples && this.trimmer) this.trimmer = new Trimmer(at("trimmer"), recording, this.limits.reference_seconds);
    this.drawListen();
  }

  drawListen() {
    const { playing } = this.player;
    at("listen").replaceChildren(icon(playing ? "stop" : "play"), t(playing ? "clone.listen.stop" : "clone.listen"));
  }

  drawLevel() {
    const { level, quiet, seconds } = this.microphone ?? {};
    if (level === undefined) return;
    at("meter").style.setProperty("--level", Math.min(1, Math.sqrt(level)));
    at("meter").setAttribute("aria-valuenow", Math.round(100 * Math.min(1, level)));
    at("recorded").textContent = t("clone.recording.now", { time: clock(seconds) });
    at("quiet").textContent = quiet ? t("clone.quiet") : "";
  }
}


