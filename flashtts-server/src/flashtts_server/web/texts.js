// The words of the page in the language of the browser, or in the one that was chosen.

import docsEn from "./texts-docs-en.js";
import docsZh from "./texts-docs-zh.js";
import en from "./texts-en.js";
import zh from "./texts-zh.js";

const TABLES = { en: { ...en, ...docsEn }, zh: { ...zh, ...docsZh } };
const STORED = "flashtts-language";

function chosen() {
  const wanted = [localStorage.getItem(STORED), ...navigator.languages].filter(Boolean);
  return wanted.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => tag in TABLES) ?? "en";
}

/** Return the code of the language of the page. */
export const language = () => document.documentElement.lang.slice(0, 2);

/** Return the text of a key, with `{names}` replaced by values. */
export function t(key, values = {}) {
  const text = TABLES[language()][key];
  if (text === undefined) throw new Error(`There is no text ${key}.`);
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** Return a text to be spoken: in the language of the page if it is one of `languages`, else in one of those. */
export function sampleText(key, languages) {
  const code = [language(), ...languages].find((each) => languages.includes(each) && each in TABLES) ?? "en";
  return TABLES[code][key];
}

/** Say whether there is a text of this key. */
export const known = (key) => key in TABLES[language()];

/** Write the texts into the elements that name one with data-text, data-label or data-hint; data-values are its values. */
function translate(root = document) {
  const words = (key, { values = "{}" }) => t(key, JSON.parse(values));
  for (const node of root.querySelectorAll("[data-text]")) node.textContent = words(node.dataset.text, node.dataset);
  for (const node of root.querySelectorAll("[data-label]")) node.setAttribute("aria-label", t(node.dataset.label));
  for (const node of root.querySelectorAll("[data-hint]")) node.placeholder = t(node.dataset.hint);
}

function use(code) {
  document.documentElement.lang = code === "zh" ? "zh-CN" : code;
  translate();
}

/** Speak another language from now on; who draws with `t` hears of it by the event `language`. */
export function setLanguage(code) {
  localStorage.setItem(STORED, code);
  use(code);
  document.dispatchEvent(new Event("language"));
}

use(chosen());
