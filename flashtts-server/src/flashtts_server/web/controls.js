// Pitch, speed, format and sampling: what the engine honours, and nothing else.

import { iconButton, make } from "./dom.js";
import { known, t } from "./texts.js";

const NEUTRAL = "moderate";
const STEPS = { temperature: 0.05, top_p: 0.05, repetition_penalty: 0.05 };
const words = (key, otherwise) => (known(`sampling.${key}`) ? t(`sampling.${key}`) : otherwise);
const rounded = (value) => Math.round(value * 100) / 100;

/** What each preset sets, given the model's own values. */
const PRESETS = {
  own: () => ({}),
  steady: (own) => ({ temperature: rounded(0.6 * own.temperature), top_p: Math.min(0.8, own.top_p ?? 1) }),
  lively: (own) => ({ temperature: rounded(Math.min(1.3 * own.temperature + 0.1, 2)), top_p: 1 }),
  greedy: () => ({ temperature: 0 }),
};

/** Draws into `root`; `values` are the fields of a request. */
export class Controls {
  constructor(root, info) {
    Object.assign(this, { root, info, format: info.formats[0] });
    this.levels = Object.fromEntries(["pitch", "speed"].map((name) => [name, NEUTRAL]));
    this.set = {}; // sampling fields that were set
    this.draw();
    document.addEventListener("language", () => this.draw());
  }

  /** Return the fields that differ from what the server does by itself. */
  get values() {
    const levels = Object.entries(this.levels).filter(([, level]) => level !== NEUTRAL);
    return { ...Object.fromEntries(levels), ...this.set, response_format: this.format };
  }

  /** Say whether all numbers are in their ranges, and show the first that is not. */
  valid() {
    const wrong = [...this.root.querySelectorAll("input[type=number]")].find((field) => !field.checkValidity());
    if (!wrong) return true;
    wrong.closest("details").open = true;
    wrong.reportValidity();
    return false;
  }

  draw() {
    const open = this.root.querySelector("details")?.open ?? false;
    const { abilities, levels } = this.info;
    this.root.replaceChildren(...[
      abilities.pitch ? this.slider("pitch", "level", levels) : null,
      this.slider("speed", "pace", levels),
      this.formats(),
      this.info.sampling.length ? this.sampling(open) : null,
    ].filter(Boolean));
  }

  slider(name, words, levels) {
    const word = (level) => t(`${words}.${level}`);
    const shown = make("output", { for: name, textContent: word(this.levels[name]) });
    const range = make("input", {
      type: "range", id: name, min: 0, max: levels.length - 1, step: 1,
      value: levels.indexOf(this.levels[name]), "aria-valuetext": word(this.levels[name]),
    });
    range.addEventListener("input", () => {
      this.levels[name] = levels[range.value];
      shown.textContent = word(this.levels[name]);
      range.setAttribute("aria-valuetext", shown.textContent);
    });
    const label = make("label", { for: name, textContent: t(`settings.${name}`) });
    return make("div", { className: "field" }, make("div", { className: "line" }, label, shown), range);
  }

  formats() {
    const choices = this.info.formats.map((format) => {
      const radio = make("input", { type: "radio", name: "format", value: format, checked: format === this.format });
      radio.addEventListener("change", () => { this.format = format; });
      return make("label", {}, radio, make("span", { textContent: format }));
    });
    return make("fieldset", { className: "field" },
      make("legend", { textContent: t("settings.format") }),
      make("div", { className: "segments" }, ...choices));
  }

  sampling(open) {
    const rows = this.info.sampling.map((control) => this.row(control));
    const named = this.info.sampling.some((control) => control.name === "temperature" && control.default > 0);
    return make("details", { className: "field", open },
      make("summary", { textContent: t("settings.sampling") }),
      named ? this.presets() : null, ...rows);
  }

  presets() {
    const own = Object.fromEntries(this.info.sampling.map((control) => [control.name, control.default]));
    const names = Object.keys(PRESETS).map((name) => {
      const button = make("button", { type: "button", className: "chip", textContent: t(`settings.preset.${name}`) });
      button.dataset.preset = name;
      button.wanted = Object.fromEntries(Object.entries(PRESETS[name](own)).filter(([field]) => field in own));
      button.addEventListener("click", () => {
        const { seed } = this.set;
        this.set = { ...button.wanted, ...(seed === undefined ? {} : { seed }) };
        this.draw();
        this.root.querySelector(`[data-preset=${name}]`).focus();
      });
      return button;
    });
    this.presetButtons = names;
    this.markPreset();
    return make("div", { className: "chips", role: "group", "aria-label": t("settings.presets") }, ...names);
  }

  /** Show which preset the values are, the seed aside. */
  markPreset() {
    const { seed, ...set } = this.set;
    const same = (wanted) => JSON.stringify(Object.entries(wanted).sort()) === JSON.stringify(Object.entries(set).sort());
    for (const button of this.presetButtons ?? []) button.setAttribute("aria-pressed", same(button.wanted));
  }

  row({ name, description, whole, default: own, minimum, minimum_excluded: excluded, maximum }) {
    const step = whole ? 1 : STEPS[name] ?? 0.01;
    const field = make("input", {
      type: "number", id: name, step: whole ? 1 : "any", min: excluded ? step : minimum,
      value: this.set[name] ?? "", placeholder: own === null ? "" : String(own), inputMode: whole ? "numeric" : "decimal",
      "aria-describedby": `${name}-help`,
    });
    if (maximum !== null) field.max = Math.min(maximum, Number.MAX_SAFE_INTEGER);
    field.addEventListener("input", () => {
      if (field.value === "") delete this.set[name];
      else this.set[name] = Number(field.value);
      this.markPreset();
    });
    const dice = name === "seed" ? iconButton("dice", t("settings.random"), () => {
      this.set.seed = Math.floor(Math.random() * 1e6);
      field.value = this.set.seed;
    }) : null;
    return make("div", { className: "number" },
      make("label", { for: name, textContent: words(name, name) }),
      make("span", { className: "inputs" }, dice, field),
      make("span", { className: "faint small", id: `${name}-help`, textContent: words(`${name}.help`, description) }));
  }
}
