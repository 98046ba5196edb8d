// Says what of a request had no effect, in the words of the page.

import { known, language, t } from "./texts.js";

const SCRIPT = "text:";

/** Return the sentence for the header X-Flashtts-Ignored, which names fields of the request and scripts of its text. */
export function leftOut(header) {
  const names = header.split(", ").filter(Boolean);
  const scripts = names.filter((name) => name.startsWith(SCRIPT)).map((name) => worded("script", name.slice(SCRIPT.length)));
  const fields = names.filter((name) => !name.startsWith(SCRIPT)).map((name) => worded("sampling", name));
  return [
    t("run.complete"),
    scripts.length ? t("run.leftout", { scripts: listed(scripts) }) : "",
    fields.length ? t("run.ignored", { names: listed(fields) }) : "",
  ].filter(Boolean).join(language() === "zh" ? "" : " ");
}

const worded = (group, name) => (known(`${group}.${name}`) ? t(`${group}.${name}`) : name);
const listed = (words) => new Intl.ListFormat(language(), { type: "conjunction" }).format(words);
