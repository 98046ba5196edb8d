// What all pages have around their content: language, colours, the key.

import { at } from "./dom.js";
import { forgetKey, key } from "./key.js";
import { language, setLanguage, t } from "./texts.js";

const THEMES = ["auto", "light", "dark"];
const STORED = "flashtts-theme";
const SYSTEM = ["(prefers-color-scheme: dark)", "(forced-colors: active)"];

function drawTheme() {
  const { theme } = document.documentElement.dataset;
  at("theme").setAttribute("aria-label", t(`theme.${theme}`));
  at("theme").title = t(`theme.${theme}`);
}

/** Who paints by itself in the colours of the page hears of others by the event `colours`. */
function tellColours() {
  document.dispatchEvent(new Event("colours"));
}

function drawKey() {
  at("forget").hidden = key() === null;
}

/** Make the buttons of the frame work. */
export function frame() {
  at("language").addEventListener("click", () => setLanguage(language() === "zh" ? "en" : "zh"));
  at("theme").addEventListener("click", () => {
    const { dataset } = document.documentElement;
    dataset.theme = THEMES[(THEMES.indexOf(dataset.theme) + 1) % THEMES.length];
    localStorage.setItem(STORED, dataset.theme);
    drawTheme();
    tellColours();
  });
  for (const query of SYSTEM) matchMedia(query).addEventListener("change", tellColours);
  at("forget").addEventListener("click", forgetKey);
  document.addEventListener("key", drawKey);
  document.addEventListener("language", drawTheme);
  drawTheme();
  drawKey();
}
