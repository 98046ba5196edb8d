// The list of voices: hear, rename and delete them.

import { confirmed } from "./confirm.js";
import { at, iconButton, make, replaceRows } from "./dom.js";
import { post } from "./server.js";
import { t } from "./texts.js";

/** Draws the voices of `roles`. */
export class RoleList {
  constructor({ roles, previews, messages }) {
    Object.assign(this, { roles, previews, messages, renaming: null });
    roles.addEventListener("change", () => this.draw());
    previews.addEventListener("change", () => previews.mark(at("roles")));
    document.addEventListener("language", () => this.draw());
    this.draw();
  }

  draw() {
    replaceRows(at("roles"), this.roles.list.map((voice) => this.row(voice)), at("title-voices"));
    this.previews.mark(at("roles"));
  }

  row(voice) {
    const { name, builtin } = voice;
    const about = [builtin ? t("voices.builtin") : t("voices.added"), voice.description].filter(Boolean).join(" · ");
    const label = this.renaming === name ? this.renameForm(name) : make("div", { className: "what" },
      make("span", { className: "title", textContent: name, title: name }),
      make("span", { className: "faint small", textContent: about }));
    const acts = builtin || this.renaming === name ? [] : [
      iconButton("edit", t("voices.rename", { name }), () => this.rename(name), { className: "quiet edit" }),
      iconButton("trash", t("voices.delete", { name }), () => this.remove(name).catch(this.messages.complain)),
    ];
    return make("li", { "data-row": name }, this.previews.button(voice), label, ...acts);
  }

  renameForm(name) {
    const field = make("input", { value: name, required: true, maxLength: 128, "aria-label": t("voices.rename.field", { name }) });
    const cancel = () => this.endRename(name);
    const form = make("form", { className: "rename" }, field,
      make("button", { className: "main", textContent: t("voices.rename.save") }),
      make("button", { type: "button", textContent: t("voices.cancel"), onclick: cancel }));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.finishRename(name, field.value.trim()).catch(this.messages.complain);
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
    if (other === name) return this.endRename(name);
    const { role } = await (await post("rename_speaker", { name, new_name: other })).json();
    await this.roles.refresh();
    this.endRename(role);
    return this.messages.say(t("voices.renamed", { name, other: role }));
  }

  /** Show the list without the form, and go on where it was. */
  endRename(name) {
    this.renaming = null;
    this.messages.mend();
    this.draw();
    [...at("roles").children].find((row) => row.dataset.row === name)?.querySelector(".edit").focus();
  }

  async remove(name) {
    if (!(await confirmed(t("voices.delete.ask", { name }), t("voices.delete.yes")))) return;
    await post("delete_speaker", { name });
    await this.roles.refresh();
    this.messages.say(t("voices.deleted", { name }));
  }
}
