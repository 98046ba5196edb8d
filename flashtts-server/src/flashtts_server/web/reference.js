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
  constructor(limits, messages) {
    super();
    Object.assign(this, { limits, messages, recording: null, microphone: null, trimmer: null });
    this.asking = false; // for the microphone
    this.player = new Player();
    this.player.addEventListener("change", () => this.drawListen());
    at("recording-file").addEventListener("change", (event) => this.take(event.target.files[0]));
    at("record").addEventListener("click", () => this.record().catch(messages.complain));
    at("listen").addEventListener("click", () => this.listen());
    at("other").addEventListener("click", () => this.forget());
    document.addEventListener("language", () => this.draw());
    document.addEventListener("colours", () => this.trimmer?.draw());
    this.draw();
  }

  /** Take a file. */
  async take(file) {
    if (!file) return;
    try {
      this.use(await readRecording(file));
    } catch (error) {
      this.messages.complain(error);
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
    if (recording) this.messages.mend();
    if (recording?.samples) this.trimmer = new Trimmer(at("trimmer"), recording, this.limits.reference_seconds);
    this.dispatchEvent(new Event("change"));
  }

  forget() {
    this.use(null);
    at("choose").focus();
  }

  async record() {
    if (this.microphone) return this.finishRecording();
    if (this.asking) return undefined;
    const microphone = new Microphone();
    microphone.addEventListener("level", () => this.drawLevel());
    microphone.addEventListener("full", () => this.finishRecording());
    this.asking = true;
    await microphone.start().finally(() => { this.asking = false; });
    if (at("view-voices").hidden) return microphone.stop(); // it was allowed too late to be of use
    this.microphone = microphone;
    this.messages.mend();
    return this.draw();
  }

  async finishRecording() {
    const { microphone } = this;
    this.microphone = null;
    this.use(await readRecording(await microphone.stop()));
    at("listen").focus();
  }

  /** Finish the recording, which is kept, and stop listening to one. */
  leave() {
    if (this.microphone) this.finishRecording();
    this.player.pause();
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
    if (recording && !recording.samples) at("trimmer").textContent = t("clone.raw", { name: recording.name });
    this.trimmer?.draw();
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


