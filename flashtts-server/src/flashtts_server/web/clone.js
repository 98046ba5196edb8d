// Makes a new voice from a recording: tries it, and keeps it as a role.

import { confirmed } from "./confirm.js";
import { at } from "./dom.js";
import { ReferenceTaker } from "./reference.js";
import { post } from "./server.js";
import { sampleText, t } from "./texts.js";

/** The panel of a new voice; `perform` speaks a job, `say` and `complain` tell the user. */
export class Clone {
  constructor({ info, roles, controls, perform, say, complain }) {
    Object.assign(this, { info, roles, controls, perform, say, complain });
    at("clone").hidden = !info.abilities.cloning;
    at("unable").hidden = info.abilities.cloning;
    at("latent-field").hidden = !info.abilities.latent;
    this.taker = new ReferenceTaker(info.limits, complain);
    this.taker.addEventListener("change", () => this.draw());
    at("try").addEventListener("click", () => this.try());
    at("keep").addEventListener("submit", (event) => {
      event.preventDefault();
      this.keep(false).catch(complain);
    });
    document.addEventListener("language", () => this.draw());
    this.draw();
  }

  /** Take a recording that was dropped on the page. */
  take(file) { return this.taker.take(file); }

  /** Speak the text of the panel with the recording, which is not kept. */
  try() {
    if (!this.taker.recording || !this.controls.valid()) return;
    try {
      const text = at("try-text").value.trim() || this.sample;
      const form = this.form("reference_audio_file");
      const fields = { text, stream: true, ...this.controls.values };
      for (const [name, value] of Object.entries(fields)) form.set(name, value);
      this.perform({ path: "clone_voice", body: form, title: text, voice: this.taker.recording.name });
    } catch (error) {
      this.complain(error);
    }
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
    at("save-voice").disabled = true;
    this.say(t("clone.saving"));
    try {
      const { role } = await (await post("add_speaker", form, {}, { onWait: this.say })).json();
      await this.roles.refresh();
      this.say(t("voices.saved", { name: role }));
      at("voice-name").value = "";
    } catch (error) {
      if (error.code !== "voice_exists" || !this.replaceable(name)) throw error;
      this.say("");
      if (await confirmed(t("voices.replace.ask", { name }), t("voices.replace.yes"))) await this.keep(true);
    } finally {
      this.draw();
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
