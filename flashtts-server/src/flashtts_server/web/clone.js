// Makes a new voice from a recording: tries it, and keeps it as a role.

import { confirmed } from "./confirm.js";
import { at } from "./dom.js";
import { ReferenceTaker } from "./reference.js";
import { post } from "./server.js";
import { sampleText, t } from "./texts.js";

/** The panel of a new voice; `go` tries what the panel says, `perform` speaks a job, `messages` tell the user. */
export class Clone {
  constructor({ info, roles, controls, perform, go, messages }) {
    Object.assign(this, { info, roles, controls, perform, messages, saving: false });
    at("clone").hidden = !info.abilities.cloning;
    at("unable").hidden = info.abilities.cloning;
    at("latent-field").hidden = !info.abilities.latent;
    this.taker = new ReferenceTaker(info.limits, messages);
    this.taker.addEventListener("change", () => this.draw());
    at("try").addEventListener("click", () => go());
    at("keep").addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.saving) this.keep(false).catch(messages.complain);
    });
    document.addEventListener("language", () => this.draw());
    this.draw();
  }

  /** Take a recording that was dropped on the page. */
  take(file) { return this.taker.take(file); }

  /** Keep what is being recorded, and be silent. */
  leave() { this.taker.leave(); }

  /** Speak the text of the panel with the recording, which is not kept; throws a sentence if that cannot be. */
  try() {
    if (!this.taker.recording) return;
    const text = at("try-text").value.trim() || this.sample;
    const form = this.form("reference_audio_file");
    const fields = { text, stream: true, ...this.controls.values };
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    this.perform({ path: "clone_voice", body: form, title: text, voice: this.taker.recording.name });
  }

  async keep(overwrite) {
    const name = at("voice-name").value.trim();
    if (!name) {
      at("voice-name").focus();
      throw new Error(t("clone.noname"));
    }
    const form = this.form("audio_file");
    form.set("name", name);
    if (overwrite) form.set("overwrite", "true");
    this.saving = true;
    this.messages.say(t("clone.saving"));
    try {
      const { role } = await (await post("add_speaker", form, {}, { onWait: this.messages.tick })).json();
      await this.roles.refresh();
      this.messages.say(t("voices.saved", { name: role }));
      at("voice-name").value = "";
    } catch (error) {
      if (error.code !== "voice_exists" || !this.replaceable(name)) throw error;
      this.messages.say("");
      if (await confirmed(t("voices.replace.ask", { name }), t("voices.replace.yes"))) await this.keep(true);
    } finally {
      this.saving = false;
    }
  }

  replaceable(name) {
    return this.roles.list.some((voice) => voice.name === name && !voice.builtin);
  }

  /** Return a form with the recording, as `field`, and what belongs to it; throws a sentence. */
  form(field) {
    const form = new FormData();
    const file = this.taker.file();
    form.set(field, file, file.name || "recording");
    const transcript = at("transcript").value.trim();
    if (transcript) form.set("reference_text", transcript);
    const [latent] = at("latent").files;
    if (this.info.abilities.latent) {
      if (!latent) throw new Error(t("clone.latent.needed"));
      form.set("latent_file", latent);
    }
    return form;
  }

  get sample() { return sampleText("clone.try.sample", this.info.abilities.languages); }

  draw() {
    const ready = this.taker.recording !== null;
    at("try").disabled = !ready;
    at("save-voice").disabled = !ready;
    at("advice").textContent = t("clone.advice", { seconds: this.info.limits.reference_seconds });
    at("try-text").placeholder = this.sample;
  }
}
