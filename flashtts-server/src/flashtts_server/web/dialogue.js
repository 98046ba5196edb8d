// The script editor: turns with a voice, pitch and speed each, or the markup they stand for.

import { at, iconButton, make } from "./dom.js";
import { excess, showLength } from "./measure.js";
import { formatScript, parseScript, tagged, withoutTags } from "./script.js";
import { sampleText, t } from "./texts.js";

const STORED = "flashtts-dialogue";

/** The editor; it is kept for the visit. */
export class Dialogue {
  constructor({ info, roles, messages }) {
    Object.assign(this, { info, roles, messages });
    const { mode, turns, markup } = JSON.parse(sessionStorage.getItem(STORED)) ?? this.example;
    Object.assign(this, { mode, turns });
    at("markup").value = markup;
    at("markup").addEventListener("input", () => this.keep());
    at("add-turn").addEventListener("click", () => this.add());
    for (const radio of document.querySelectorAll("[name=mode]")) {
      radio.addEventListener("change", () => this.show(radio.value));
    }
    roles.addEventListener("change", () => {
      for (const turn of this.turns) turn.role ||= roles.names[0] ?? "";
      this.draw();
    });
    document.addEventListener("language", () => this.draw());
    this.draw();
  }

  get example() {
    const [first = "", second = first] = this.roles.names;
    const text = (key) => sampleText(key, this.info.abilities.languages);
    const turns = [
      { role: first, text: text("dialogue.first"), pitch: "", speed: "" },
      { role: second, text: text("dialogue.second"), pitch: "", speed: "" },
    ];
    return { mode: "turns", turns, markup: "" };
  }

  /** Return the dialogue as markup; throws a sentence if it is not complete. */
  checked() {
    const text = this.mode === "turns" ? formatScript(this.turns) : at("markup").value;
    if (this.mode === "markup") parseScript(text, this.info.levels);
    const over = excess(text, this.info.limits.text_characters);
    if (over) throw new Error(over);
    return text;
  }

  /** Remember what was written, and show how long it is. */
  keep() {
    const markup = at("markup").value;
    sessionStorage.setItem(STORED, JSON.stringify({ mode: this.mode, turns: this.turns, markup }));
    const text = this.mode === "turns" ? this.turns.map(tagged).join("\n") : markup;
    const spoken = this.mode === "turns" ? this.turns.map((turn) => turn.text).join("\n") : withoutTags(markup);
    showLength("dialogue-", text, this.info.limits.text_characters, spoken);
  }

  /** Take a dialogue that is given as markup. */
  take(text) {
    at("markup").value = text;
    this.mode = "markup";
    this.show("turns");
  }

  /** Show turns or markup; what cannot be read as the other stays, with a sentence. */
  show(mode) {
    if (mode === this.mode) return;
    try {
      if (mode === "markup") at("markup").value = formatScript(this.turns.filter((turn) => turn.text.trim()));
      else if (at("markup").value.trim()) this.turns = parseScript(at("markup").value, this.info.levels);
      this.mode = mode;
      this.messages.mend();
    } catch (error) {
      this.messages.complain(error);
    }
    this.draw();
  }

  add() {
    const before = this.turns.at(-2) ?? this.turns.at(-1);
    this.turns.push({ role: before?.role ?? this.roles.names[0] ?? "", text: "", pitch: "", speed: "" });
    this.draw();
    at("turns").lastElementChild.querySelector("textarea").focus();
  }

  /** Mark the turn that is heard now, or none (-1). */
  highlight(index) {
    for (const [i, row] of [...at("turns").children].entries()) {
      if (row.classList.contains("current") === (i === index)) continue;
      row.classList.toggle("current", i === index);
      if (i === index) {
        row.setAttribute("aria-current", "true");
        row.scrollIntoView({ block: "nearest", behavior: "smooth" });
      } else row.removeAttribute("aria-current");
    }
  }

  draw() {
    for (const radio of document.querySelectorAll("[name=mode]")) radio.checked = radio.value === this.mode;
    at("turns").hidden = this.mode !== "turns";
    at("add-turn").hidden = this.mode !== "turns";
    at("markup-field").hidden = this.mode !== "markup";
    at("turns").replaceChildren(...this.turns.map((turn, i) => this.row(turn, i)));
    this.keep();
  }

  row(turn, i) {
    const number = i + 1;
    const text = make("textarea", {
      value: turn.text, rows: 2, placeholder: t("dialogue.text.hint"), "aria-label": t("dialogue.text", { number }),
    });
    text.addEventListener("input", () => {
      turn.text = text.value;
      this.keep();
    });
    const move = (by) => {
      this.turns.splice(i, 1);
      this.turns.splice(i + by, 0, turn);
      this.draw();
      at("turns").children[i + by].querySelector(by < 0 ? ".up:enabled, .down" : ".down:enabled, .up").focus();
    };
    const remove = () => {
      this.turns.splice(i, 1);
      this.draw();
      (at("turns").children[Math.min(i, this.turns.length - 1)]?.querySelector("textarea") ?? at("add-turn")).focus();
    };
    return make("li", { className: "turn" },
      make("div", { className: "turn-head" },
        make("span", { className: "number", textContent: number, "aria-hidden": "true" }),
        this.select(turn, "role", t("dialogue.voice", { number }), this.voices(turn)),
        this.info.abilities.pitch ? this.select(turn, "pitch", t("dialogue.pitch", { number }), this.levels("pitch", "level")) : null,
        this.select(turn, "speed", t("dialogue.speed", { number }), this.levels("speed", "pace")),
        make("span", { className: "turn-acts" },
          iconButton("up", t("dialogue.up", { number }), () => move(-1), { disabled: i === 0, className: "quiet up" }),
          iconButton("down", t("dialogue.down", { number }), () => move(1), { disabled: i === this.turns.length - 1, className: "quiet down" }),
          iconButton("close", t("dialogue.remove", { number }), remove))),
      text);
  }

  voices(turn) {
    const names = this.roles.names.map((name) => [name, name]);
    if (this.roles.names.includes(turn.role) || !turn.role) return names;
    return [[turn.role, t("dialogue.unknown", { name: turn.role })], ...names];
  }

  levels(name, words) {
    return [["", t(`dialogue.${name}.any`)], ...this.info.levels.map((level) => [level, t(`${words}.${level}`)])];
  }

  select(turn, field, label, options) {
    const choices = options.map(([value, words]) => new Option(words, value, false, value === turn[field]));
    const select = make("select", { "aria-label": label, className: field }, ...choices);
    select.addEventListener("change", () => {
      turn[field] = select.value;
      this.keep();
    });
    return select;
  }
}
