// One request for speech, from the click to the file: sent, heard while it arrives, kept for the visit.

import { post, Refusal } from "./server.js";
import { Sound } from "./sound.js";
import { t } from "./texts.js";
import { closedWav } from "./wav.js";

/**
 * A run of `job`: `path` and `body` of the request, `format`, and `title` and `voice` to show. Fires `change` when its
 * `state` changes: waiting, arriving, complete, stopped or failed; `notice` is a sentence while it waits for the
 * server, `sound` is there from the answer on, `turns` are the starts of a dialogue's turns, in seconds.
 */
export class Run extends EventTarget {
  constructor(job) {
    super();
    this.job = job;
    this.state = "waiting";
    this.notice = "";
    this.aloud = false; // whether the notice is worth to be read to those who listen
    this.sound = null;
    this.turns = [];
    this.ignored = "";
    this.firstSound = null; // seconds from the last attempt to the first sample
    this.took = null; // seconds from the last attempt to the last byte
    this.error = null;
    this.controller = new AbortController();
  }

  get duration() { return this.sound?.seconds ?? 0; }
  get running() { return this.state === "waiting" || this.state === "arriving"; }

  /** Say goodbye to the server, which then stops the model. */
  stop() {
    if (this.running) this.controller.abort();
  }

  /** Ask for the speech and take it; never rejects. */
  async start() {
    try {
      const { signal } = this.controller;
      const answer = await post(this.job.path, this.job.body, { signal }, {
        onSend: () => { this.sent = performance.now(); this.note(""); },
        onWait: (notice, aloud) => this.note(notice, aloud),
      });
      await this.take(answer);
      this.become("complete");
    } catch (error) {
      this.error = error;
      await this.sound?.finish();
      this.become(error.name === "AbortError" ? "stopped" : "failed");
    }
  }

  async take(answer) {
    const events = answer.headers.get("Content-Type").startsWith("text/event-stream");
    this.type = events ? `audio/${this.job.format}` : answer.headers.get("Content-Type");
    this.ignored = answer.headers.get("X-Flashtts-Ignored") ?? "";
    this.sound = new Sound(this.job.format, Number(answer.headers.get("X-Sample-Rate")));
    this.sound.addEventListener("grown", () => this.heard());
    this.become("arriving");
    for await (const piece of events ? audioOf(answer, this.turns) : bytesOf(answer)) this.sound.push(piece);
    this.took = this.since();
    await this.sound.finish();
  }

  heard() {
    if (this.firstSound !== null) return;
    this.firstSound = this.since();
    this.dispatchEvent(new Event("change"));
  }

  since() { return (performance.now() - this.sent) / 1000; }

  note(notice, aloud = false) {
    Object.assign(this, { notice, aloud });
    this.dispatchEvent(new Event("change"));
  }

  become(state) {
    this.state = state;
    this.notice = "";
    this.dispatchEvent(new Event("change"));
  }

  /** Return the name and the content of the file: complete in the format that was asked for. */
  file() {
    const { format, voice = "" } = this.job;
    const { pieces, rate } = this.sound;
    const plain = voice.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "") || "speech";
    const content = format === "wav" ? closedWav(pieces, rate) : new Blob(pieces, { type: this.type });
    return { name: `${plain}.${format}`, content };
  }
}

async function* bytesOf(answer) {
  const reader = answer.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value;
}

/** Return the error that ended speech which had begun. */
function broken({ message, type, code }) {
  return new Refusal(t("error.said", { message }), type === "server_error" ? 500 : 400, code);
}

/** Yield the audio of server-sent events, and note where turns begin. */
async function* audioOf(answer, turns) {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of bytesOf(answer)) {
    const events = (text + decoder.decode(bytes, { stream: true })).split("\n\n");
    text = events.pop();
    for (const each of events) {
      const event = JSON.parse(each.slice("data: ".length));
      if (event.type === "speech.audio.turn") turns[event.turn] = event.start;
      else if (event.type === "speech.audio.error") throw broken(event.error);
      else if (event.audio) yield Uint8Array.from(atob(event.audio), (char) => char.charCodeAt(0));
    }
  }
}
