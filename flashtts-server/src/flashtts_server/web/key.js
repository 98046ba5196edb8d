// The API key: asked for when the server wants one, kept for this tab only.

import { make } from "./dom.js";
import { t } from "./texts.js";

const STORED = "flashtts-key";
let asking = null;

/** Return the key, or null. */
export const key = () => sessionStorage.getItem(STORED);

/** Forget the key. */
export function forgetKey() {
  sessionStorage.removeItem(STORED);
  document.dispatchEvent(new Event("key"));
}

function show(wrong) {
  const field = make("input", { type: "password", id: "key", autocomplete: "off", required: true });
  const dialog = make("dialog", { id: "key-dialog", "aria-labelledby": "key-title" },
    make("form", { method: "dialog" },
      make("h2", { id: "key-title", textContent: t("key.title") }),
      make("p", { className: wrong ? "wrong" : "faint", textContent: t(wrong ? "key.wrong" : "key.why"), role: wrong ? "alert" : undefined }),
      make("label", { for: "key", textContent: t("key.field") }), field,
      make("div", { className: "actions" },
        make("button", { className: "main", value: "ok", textContent: t("key.use") }),
        make("button", { type: "button", value: "", textContent: t("key.cancel"), onclick: () => dialog.close("") }))));
  document.body.append(dialog);
  dialog.showModal();
  field.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      const given = dialog.returnValue === "ok" ? field.value.trim() : "";
      dialog.remove();
      resolve(given || null);
    }, { once: true });
  });
}

/** Ask for the key, once for all who wait for it; returns null if it is not given. */
export async function askForKey() {
  asking ??= show(key() !== null);
  const given = await asking;
  asking = null;
  if (given !== null) sessionStorage.setItem(STORED, given);
  document.dispatchEvent(new Event("key"));
  return given;
}
