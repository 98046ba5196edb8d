// What all pages have around their content: language, colours, the key.

import { at } from "./dom.js";
import { forgetKey, key } from "./key.js";
import { language, setLanguage, t } from "./texts.js";

const THEMES = ["auto", "light", "dark"];
const STORED = "flashtts-theme";

function drawTheme() {
  const { theme } = document.documentElement.dataset;
  at("theme").setAttribute("aria-label", t(`theme.${theme}`));
  at("theme").title = t(`theme.${theme}`);
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
    document.dispatchEvent(new Event("language")); // whatever is drawn in colours is drawn anew, too
  });
  at("forget").addEventListener("click", forgetKey);
  document.addEventListener("key", drawKey);
  document.addEventListener("language", drawTheme);
  drawTheme();
  drawKey();
}
