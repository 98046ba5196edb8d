// Asks before something is done that cannot be undone.

import { make } from "./dom.js";
import { t } from "./texts.js";

/** Return whether the user says `yes` to a question. */
export function confirmed(question, yes) {
  const dialog = make("dialog", { "aria-labelledby": "question", role: "alertdialog" },
    make("form", { method: "dialog" },
      make("p", { id: "question", textContent: question }),
      make("div", { className: "actions" },
        make("button", { value: "", textContent: t("voices.cancel"), autofocus: true }),
        make("button", { className: "main", value: "yes", textContent: yes }))));
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    }, { once: true });
  });
}
