// The form that holds a WebSocket session: sends messages, shows what goes either way, and plays the sound.

import { Code } from "./code.js";
import { labelled, make, worded } from "./dom.js";
import { key } from "./key.js";
import { asPageSession, asPythonSession } from "./samples.js";
import { send } from "./server.js";
import { t } from "./texts.js";
import { joined, wavHeader } from "./wav.js";

const SHOWN_LINES = 200;

/** Return what a page offers in place of the header that it cannot set. */
function protocols() {
  const encoded = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
  const safe = (text) => text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return key() ? ["flashtts", `flashtts-key.${safe(encoded(key()))}`] : [];
}

/** The form for the session at `path`; `world` knows whether a key is wanted. */
export class Conversation {
  constructor(world, path, operation) {
    Object.assign(this, { world, path, id: operation.operationId, example: operation["x-websocket"].client.example });
    this.socket = null;
    this.code = new Code({ Python: asPythonSession, JavaScript: asPageSession }, () => this.session());
    this.node = this.draw();
    this.code.show();
  }

  draw() {
    const id = `${this.id}-messages`;
    const lines = this.example.map((message) => JSON.stringify(message));
    this.input = make("textarea", { id, defaultValue: lines.join("\n"), rows: lines.length + 1, spellcheck: false, className: "code" });
    this.end = worded("button", "docs.close", { type: "button", hidden: true, onclick: () => this.socket?.close(1000) });
    const form = make("form", { noValidate: true },
      make("div", { className: "inputs" }, make("div", {}, worded("label", "docs.messages", { for: id }), this.input)),
      make("p", { className: "actions" }, worded("button", "docs.send", { className: "main" }), this.end));
    form.addEventListener("submit", (event) => { event.preventDefault(); this.send(); });
    form.addEventListener("input", () => this.code.show());
    this.log = make("div", { className: "code log", role: "log", tabIndex: 0, hidden: true, ...labelled("docs.log") });
    this.sounds = make("div", { className: "output" });
    return make("div", { className: "tryout" }, form, this.code.node, this.log, this.sounds);
  }

  /** Return the session as the samples need it; throws if a line is no JSON. */
  session() {
    const target = this.path.slice(1);
    const messages = this.input.value.split("\n").filter((line) => line.trim()).map((line) => JSON.parse(line));
    const format = messages.findLast((each) => each.response_format)?.response_format ?? "pcm";
    return { target, url: new URL(target, document.baseURI).href.replace("http", "ws"), secured: this.world.secured, messages, format };
  }

  /** Send all lines, over the session that is open or a new one. */
  async send() {
    try {
      const { target, url, messages } = this.session();
      if (this.socket === null) await this.open(target, url);
      for (const message of messages) {
        this.note("→", JSON.stringify(message));
        this.socket.send(JSON.stringify(message));
      }
    } catch (error) {
      this.note("×", error.message);
    }
  }

  async open(target, url) {
    this.log.replaceChildren();
    this.sounds.replaceChildren();
    await send(target); // asks for the key if one is needed
    const socket = new WebSocket(url, protocols());
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }) => this.heard(data));
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve);
      socket.addEventListener("close", () => reject(new Error(t("docs.refused"))));
    });
    socket.addEventListener("close", ({ code, reason }) => {
      this.note("×", worded("span", "docs.closed", { values: { code, reason } }));
      this.socket = null;
      this.end.hidden = true;
    });
    this.socket = socket;
    this.end.hidden = false;
  }

  heard(data) {
    if (typeof data !== "string") {
      this.pieces.push(new Uint8Array(data));
      const bytes = this.pieces.reduce((sum, piece) => sum + piece.length, 0);
      this.note("←", worded("span", "docs.bytes", { values: { bytes } }), this.pieces.length > 1);
      return;
    }
    this.note("←", data);
    const event = JSON.parse(data);
    if (event.type === "audio.start") Object.assign(this, { pieces: [], spoken: event });
    if (event.type === "audio.done") this.sound();
  }

  /** Offer the sentence that has ended. */
  sound() {
    const { format, sample_rate: rate, sentence_text: text } = this.spoken;
    const bytes = joined(this.pieces);
    const file = format === "pcm" ? new Blob([wavHeader(bytes.length, rate), bytes]) : new Blob([bytes]);
    this.sounds.append(make("p", { className: "small", textContent: text }),
      make("audio", { controls: true, src: URL.createObjectURL(file), "aria-label": text }));
  }

  /** Write a line of the log; with `again` it takes the place of the last one. */
  note(sign, words, again = false) {
    this.log.hidden = false;
    const line = make("p", {}, make("span", { className: "faint", textContent: sign }), words);
    if (again) this.log.lastChild.replaceWith(line);
    else this.log.append(line);
    if (this.log.childElementCount > SHOWN_LINES) this.log.firstChild.remove();
    this.log.scrollTop = this.log.scrollHeight;
  }
}
