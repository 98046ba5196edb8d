// The voices of the server, and a short sample of each.

import { iconButton, relabel } from "./dom.js";
import { Player } from "./player.js";
import { request } from "./server.js";
import { Run } from "./speech.js";
import { language, t } from "./texts.js";

const SAMPLES = {
  en: "Hello. This is how I sound.",
  zh: "你好，我的声音是这样的。",
  de: "Hallo. So klinge ich.",
  fr: "Bonjour. Voici ma voix.",
  es: "Hola. Así suena mi voz.",
  it: "Ciao. Questa è la mia voce.",
  ko: "안녕하세요. 제 목소리는 이렇습니다.",
  hi: "नमस्ते। मेरी आवाज़ ऐसी है।",
};

/** Return a sentence in a language that a voice speaks. */
function sampleOf(voice, languages) {
  const wanted = [voice.language, languages.includes(language()) ? language() : null, ...languages];
  return SAMPLES[wanted.find((code) => code in SAMPLES)] ?? SAMPLES.en;
}

/** The list; fires `change` when it is another. */
export class Roles extends EventTarget {
  constructor(info) {
    super();
    this.languages = info.abilities.languages;
    this.take(info);
  }

  get names() { return this.list.map((voice) => voice.name); }

  /** Ask the server for the list anew. */
  async refresh() {
    this.take(await (await request("server_info")).json());
  }

  take(info) {
    this.list = info.voices;
    this.dispatchEvent(new Event("change"));
  }
}

/** Plays samples of voices, one at a time; fires `change` when `playing`, a name or null, is another. */
export class Previews extends EventTarget {
  constructor(roles, main, messages) {
    super();
    Object.assign(this, { roles, main, messages });
    this.player = new Player();
    this.playing = null;
    this.waiting = false; // for a server that is busy
    this.kept = new Map();
    this.player.addEventListener("change", () => this.settle());
    main.addEventListener("change", () => { if (main.playing) this.stop(); });
    roles.addEventListener("change", () => this.kept.clear());
  }

  /** Return a button that plays the sample of a voice. */
  button(voice) {
    const button = iconButton("play", t("settings.preview", { name: voice.name }), () => this.toggle(voice).catch(this.messages.complain));
    button.dataset.voice = voice.name;
    return button;
  }

  /** Let the buttons below `root` show which sample is playing. */
  mark(root) {
    for (const button of root.querySelectorAll("[data-voice]")) {
      const { voice } = button.dataset;
      const on = this.playing === voice;
      relabel(button, on ? "stop" : "play", on ? t("speak.stop") : t("settings.preview", { name: voice }));
    }
  }

  /** Play the sample of a voice, or stop it; throws what the request throws. */
  async toggle(voice) {
    if (this.playing === voice.name) return this.stop();
    this.stop();
    this.main.pause();
    this.become(voice.name);
    const run = this.kept.get(voice.name) ?? this.ask(voice);
    this.run = run;
    if (!run.sound) await new Promise((resolve) => {
      run.addEventListener("change", () => {
        if (this.run === run) this.tell(run);
        if (run.sound || !run.running) resolve();
      });
    });
    if (this.run !== run) return undefined;
    if (run.error) {
      this.stop();
      if (run.error.name !== "AbortError") throw run.error;
      return undefined;
    }
    this.kept.set(voice.name, run);
    this.player.load(run.sound);
    return this.player.play();
  }

  /** Tell how long the server is busy, and no more when it is not. */
  tell({ notice, aloud }) {
    if (notice) this.messages.tick(notice, aloud);
    else if (this.waiting) this.messages.say("");
    this.waiting = notice !== "";
  }

  stop() {
    const run = this.run;
    this.run = null;
    this.tell({ notice: "" });
    if (run?.running) {
      run.stop();
      this.kept.delete(this.playing);
    }
    this.player.pause();
    this.become(null);
  }

  ask(voice) {
    const text = sampleOf(voice, this.roles.languages);
    const body = { text, name: voice.name, response_format: "wav", stream: true };
    const run = new Run({ path: "speak", body, format: "wav", title: text, voice: voice.name });
    run.start();
    return run;
  }

  settle() {
    if (!this.player.playing && this.run && this.run.sound === this.player.sound && !this.run.running) this.become(null);
  }

  become(name) {
    if (this.playing === name) return;
    this.playing = name;
    this.dispatchEvent(new Event("change"));
  }
}
