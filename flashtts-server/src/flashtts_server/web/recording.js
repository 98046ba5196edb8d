// Recordings of a voice: from a file or from the microphone, as samples if the browser can decode them.

import { t } from "./texts.js";

const RATE = 48_000;
const QUIET = 0.02;
const LONGEST = 120; // seconds after which the microphone is let go

/** Return a file as `{file, name, samples}` (samples null: the browser cannot decode it); throws if it is no audio. */
export async function readRecording(file) {
  try {
    const context = new OfflineAudioContext(1, 1, RATE);
    const buffer = await context.decodeAudioData(await file.arrayBuffer());
    return { file, name: file.name, samples: mono(buffer), rate: RATE };
  } catch {
    if (!/^(audio|video)\//.test(file.type)) throw new Error(t("clone.notaudio", { name: file.name }));
    return { file, name: file.name, samples: null, rate: RATE };
  }
}

function mono(buffer) {
  const channels = Array.from({ length: buffer.numberOfChannels }, (_, i) => buffer.getChannelData(i));
  if (channels.length === 1) return channels[0];
  return channels[0].map((_, i) => channels.reduce((sum, channel) => sum + channel[i], 0) / channels.length);
}

/** The microphone; fires `level` while it records, with `level` (0 to 1), `quiet` and `seconds` of this object. */
export class Microphone extends EventTarget {
  /** Begin; throws a sentence if there is no microphone or it is not allowed. */
  async start() {
    if (!navigator.mediaDevices) throw new Error(t("clone.nomicrophone"));
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
    } catch {
      throw new Error(t("clone.refused"));
    }
    this.context = new AudioContext();
    this.analyser = this.context.createAnalyser();
    this.context.createMediaStreamSource(this.stream).connect(this.analyser);
    this.pieces = [];
    this.recorder = new MediaRecorder(this.stream);
    this.recorder.addEventListener("dataavailable", (event) => this.pieces.push(event.data));
    this.recorder.start();
    this.since = performance.now();
    this.loudest = 0;
    this.timer = setInterval(() => this.measure(), 100);
  }

  get seconds() { return (performance.now() - this.since) / 1000; }
  get quiet() { return this.seconds > 1.5 && this.loudest < QUIET; }

  measure() {
    const samples = new Float32Array(this.analyser.fftSize);
    this.analyser.getFloatTimeDomainData(samples);
    this.level = samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    this.loudest = Math.max(0.8 * this.loudest, this.level);
    this.dispatchEvent(new Event("level"));
    if (this.seconds > LONGEST) this.dispatchEvent(new Event("full"));
  }

  /** End, and return what was recorded, as a file. */
  async stop() {
    clearInterval(this.timer);
    const ended = new Promise((resolve) => { this.recorder.addEventListener("stop", resolve, { once: true }); });
    this.recorder.stop();
    await ended;
    this.stream.getTracks().forEach((track) => track.stop());
    await this.context.close();
    return new File(this.pieces, "recording", { type: this.recorder.mimeType });
  }
}
