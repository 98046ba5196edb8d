// Makes elements and icons.

import { t } from "./texts.js";

export const at = (id) => document.getElementById(id);

/** Return a new element; properties whose name has a dash, `role` and `for` become attributes. */
export function make(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined) continue;
    if (name.includes("-") || name === "role" || name === "for") node.setAttribute(name, value);
    else node[name] = value;
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Return a new element with the text of a key, which changes with the language of the page. */
export function worded(tag, key, { values = {}, ...properties } = {}) {
  const kept = { "data-text": key, "data-values": JSON.stringify(values) };
  return make(tag, { textContent: t(key, values), ...kept, ...properties });
}

/** Return properties that name an element for screen readers with the text of a key, which changes likewise. */
export const labelled = (key) => ({ "aria-label": t(key), "data-label": key });

const PATHS = {
  play: "M8 5.5v13l11-6.5z",
  pause: "M8 5.5h3v13H8zM13.5 5.5h3v13h-3z",
  stop: "M7 7h10v10H7z",
  download: "M12 4v10m0 0 4-4m-4 4-4-4M5 19h14",
  close: "m7 7 10 10M17 7 7 17",
  up: "m6 14 6-6 6 6",
  down: "m6 10 6 6 6-6",
  edit: "M5 19h3l10-10-3-3L5 16zM13 8l3 3",
  trash: "M5 7h14M10 7V5h4v2m-7 0 1 12h8l1-12",
  plus: "M12 5v14M5 12h14",
  again: "M6 12a6 6 0 1 1 2 4.5M6 12l-2.5-2.5M6 12l2.5-2.5",
  dice: "M6 6h12v12H6zM9.5 9.5h.01M14.5 14.5h.01M14.5 9.5h.01M9.5 14.5h.01",
  microphone: "M12 4a2.5 2.5 0 0 1 2.5 2.5v5a2.5 2.5 0 0 1-5 0v-5A2.5 2.5 0 0 1 12 4zM6.5 11.5a5.5 5.5 0 0 0 11 0M12 17v3",
  upload: "M12 15V5m0 0 4 4m-4-4L8 9M5 19h14",
};
const FILLED = new Set(["play", "pause", "stop"]);

/** Return a picture of 24 by 24 that screen readers pass over. */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(space, "svg");
  picture.setAttribute("viewBox", "0 0 24 24");
  picture.setAttribute("aria-hidden", "true");
  picture.setAttribute("class", FILLED.has(name) ? "icon filled" : "icon");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", PATHS[name]);
  picture.append(path);
  return picture;
}

/** Return a button that shows an icon and says `label` to screen readers and on hovering. */
export function iconButton(name, label, act, properties = {}) {
  const button = make("button", { type: "button", className: "quiet", title: label, "aria-label": label, ...properties }, icon(name));
  button.addEventListener("click", act);
  return button;
}

/** Draw the icon of a button anew, and say what it does now. */
export function relabel(button, name, label) {
  button.replaceChildren(icon(name));
  button.title = label;
  button.setAttribute("aria-label", label);
}

/**
 * Put other rows into a list. The focus stays on the button of the row with the same `data-row`; if that row is gone it
 * goes to the one in its place, and to `otherwise` if there is none.
 */
export function replaceRows(list, rows, otherwise) {
  const stops = (row) => [...row.querySelectorAll("button:enabled, input")];
  const held = document.activeElement.closest("[data-row]");
  const place = [...list.children].indexOf(held);
  const stop = place < 0 ? 0 : stops(held).indexOf(document.activeElement);
  list.replaceChildren(...rows);
  if (place < 0) return;
  const row = rows.find((each) => each.dataset.row === held.dataset.row) ?? rows[Math.min(place, rows.length - 1)];
  const [first] = row ? stops(row) : [];
  (row ? stops(row)[stop] ?? first : otherwise).focus();
}

/** Return seconds as minutes and seconds. */
export function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
