// Shows a request as code in one of several languages, to be copied.

import { labelled, make, worded } from "./dom.js";
import { t } from "./texts.js";

/** Code of what `request` returns or throws; `writers` are functions from that to code, by the names of languages. */
export class Code {
  constructor(writers, request) {
    Object.assign(this, { writers, request });
    [this.language] = Object.keys(writers);
    this.text = make("pre", { className: "code", tabIndex: 0, role: "group", ...labelled("docs.example") });
    this.tabs = Object.keys(writers).map((language) => (
      make("button", { type: "button", className: "chip", textContent: language, onclick: () => this.choose(language) })));
    const copied = make("span", { className: "faint small", role: "status" });
    const copy = worded("button", "docs.copy", { type: "button", className: "chip" });
    copy.addEventListener("click", async () => {
      await navigator.clipboard?.writeText(this.text.textContent);
      copied.textContent = navigator.clipboard ? t("docs.copied") : "";
    });
    this.node = make("div", { className: "samples" }, make("p", { className: "chips" }, ...this.tabs, copy, copied), this.text);
  }

  choose(language) {
    this.language = language;
    this.show();
  }

  /** Write the code anew. */
  show() {
    for (const tab of this.tabs) tab.setAttribute("aria-pressed", tab.textContent === this.language);
    try {
      this.text.textContent = this.writers[this.language](this.request());
    } catch (error) {
      this.text.textContent = error.message;
    }
  }
}
