// Lets the user choose a voice: a list with a search and a sample of each.

import { make } from "./dom.js";
import { t } from "./texts.js";

const MANY = 6; // voices from which on a search is of use

/** Draws into `root`; `chosen` is the name of the voice. */
export class Picker {
  constructor(root, roles, previews) {
    Object.assign(this, { root, roles, previews });
    this.chosen = roles.names[0];
    this.search = make("input", { type: "search", id: "voice-search" });
    this.list = make("div", { className: "voices", role: "radiogroup" });
    this.nothing = make("p", { className: "faint small", role: "status" });
    root.append(this.search, this.list, this.nothing);
    this.search.addEventListener("input", () => this.filter());
    roles.addEventListener("change", () => this.draw());
    previews.addEventListener("change", () => previews.mark(this.list));
    document.addEventListener("language", () => this.draw());
    this.draw();
  }

  choose(name) {
    this.chosen = name;
    this.draw();
  }

  draw() {
    if (!this.roles.names.includes(this.chosen)) [this.chosen] = this.roles.names;
    this.search.placeholder = t("settings.search");
    this.search.setAttribute("aria-label", t("settings.search"));
    this.list.setAttribute("aria-label", t("settings.voice"));
    this.search.hidden = this.roles.list.length < MANY;
    if (this.search.hidden) this.search.value = "";
    this.list.replaceChildren(...this.roles.list.map((voice) => this.row(voice)));
    this.previews.mark(this.list);
    this.filter();
  }

  row(voice) {
    const radio = make("input", { type: "radio", name: "voice", value: voice.name, checked: voice.name === this.chosen });
    radio.addEventListener("change", () => { this.chosen = voice.name; });
    const about = voice.description || (voice.builtin ? t("voices.builtin") : t("voices.added"));
    return make("div", { className: "voice" },
      make("label", {}, radio,
        make("span", { className: "name", textContent: voice.name }),
        make("span", { className: "faint small", textContent: about })),
      this.previews.button(voice));
  }

  filter() {
    const wanted = this.search.value.trim().toLowerCase();
    let shown = 0;
    for (const row of this.list.children) {
      row.hidden = !row.textContent.toLowerCase().includes(wanted);
      shown += row.hidden ? 0 : 1;
    }
    const why = wanted ? t("settings.none", { text: this.search.value.trim() }) : t("settings.novoice");
    this.nothing.textContent = shown ? "" : why;
  }
}
