// The text that is to be spoken: kept for the visit, measured, and offered to the dialogue if it is one.

import { at } from "./dom.js";
import { excess, showLength } from "./measure.js";
import { looksLikeScript } from "./script.js";
import { sampleText, t } from "./texts.js";

const STORED = "flashtts-draft";

/** The text of the Speak view; `open` takes it as a dialogue. */
export class Draft {
  constructor(info, open) {
    this.limit = info.limits.text_characters;
    at("text").value = sessionStorage.getItem(STORED) || sampleText("speak.sample", info.abilities.languages);
    at("text").addEventListener("input", () => this.draw());
    at("open-dialogue").addEventListener("click", () => open(this.text));
    document.addEventListener("language", () => this.draw());
    this.draw();
  }

  get text() { return at("text").value; }

  set text(text) {
    at("text").value = text;
    this.draw();
  }

  /** Return the text; throws a sentence if it cannot be spoken. */
  checked() {
    if (!this.text.trim()) {
      at("text").focus();
      throw new Error(t("speak.empty"));
    }
    const over = excess(this.text, this.limit);
    if (over) throw new Error(over);
    return this.text;
  }

  draw() {
    showLength("", this.text, this.limit);
    at("scripted").hidden = !looksLikeScript(this.text);
    sessionStorage.setItem(STORED, this.text);
  }
}
