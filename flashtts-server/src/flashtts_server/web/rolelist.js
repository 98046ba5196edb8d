// The list of voices: hear, rename and delete them.

import { confirmed } from "./confirm.js";
import { at, iconButton, make, relabel } from "./dom.js";
import { post } from "./server.js";
import { t } from "./texts.js";

/** Draws the voices of `roles`. */
export class RoleList {
  constructor({ roles, previews, say, complain }) {
    Object.assign(this, { roles, previews, say, complain, renaming: null });
    roles.addEventListener("change", () => this.draw());
    previews.addEventListener("change", () => this.mark());
    document.addEventListener("language", () => this.draw());
    this.draw();
  }

  draw() {
    at("roles").replaceChildren(...this.roles.list.map((voice) => this.row(voice)));
    this.mark();
  }

  row(voice) {
    const { name, builtin } = voice;
    const preview = iconButton("play", "", () => this.previews.toggle(voice).catch(this.complain));
    preview.dataset.voice = name;
    const about = [builtin ? t("voices.builtin") : t("voices.added"), voice.description].filter(Boolean).join(" · ");
    const label = this.renaming === name ? this.renameForm(name) : make("div", { className: "what" },
      make("span", { className: "title", textContent: name }),
      make("span", { className: "faint small", textContent: about }));
    const acts = builtin || this.renaming === name ? [] : [
      iconButton("edit", t("voices.rename", { name }), () => this.rename(name)),
      iconButton("trash", t("voices.delete", { name }), () => this.remove(name).catch(this.complain)),
    ];
    return make("li", {}, preview, label, ...acts);
  }

  renameForm(name) {
    const field = make("input", { value: name, required: true, maxLength: 128, "aria-label": t("voices.rename.field", { name }) });
    const cancel = () => this.rename(null);
    const form = make("form", { className: "rename" }, field,
      make("button", { className: "main", textContent: t("voices.rename.save") }),
      make("button", { type: "button", textContent: t("voices.cancel"), onclick: cancel }));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.finishRename(name, field.value.trim()).catch(this.complain);
    });
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      cancel();
    });
    return form;
  }

  rename(name) {
    this.renaming = name;
    this.draw();
    at("roles").querySelector(".rename input")?.select();
  }

  async finishRename(name, other) {
    if (other !== name) {
      const { role } = await (await post("rename_speaker", { name, new_name: other })).json();
      await this.roles.refresh();
      this.say(t("voices.renamed", { name, other: role }));
    }
    this.rename(null);
  }

  async remove(name) {
    if (!(await confirmed(t("voices.delete.ask", { name }), t("voices.delete.yes")))) return;
    await post("delete_speaker", { name });
    await this.roles.refresh();
    this.say(t("voices.deleted", { name }));
  }

  mark() {
    for (const button of at("roles").querySelectorAll("[data-voice]")) {
      const { voice } = button.dataset;
      const on = this.previews.playing === voice;
      relabel(button, on ? "stop" : "play", on ? t("speak.stop") : t("settings.preview", { name: voice }));
    }
  }
}
