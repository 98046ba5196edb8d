// Takes files that are dropped anywhere on the page: texts and recordings.

import { t } from "./texts.js";

const AUDIO = /\.(wav|mp3|m4a|aac|ogg|opus|flac|webm|mp4|aiff?|wma|amr)$/i;
const TEXT = /\.(txt|md|text|srt)$/i;

/** Give the text of a dropped text file to `text`, a dropped recording to `audio`; `complain` of anything else. */
export function acceptDrops({ text, audio, complain }) {
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  let depth = 0; // elements that the pointer has entered and not left
  const mark = (by) => {
    depth = Math.max(0, depth + by);
    document.body.classList.toggle("dropping", depth > 0);
  };
  document.addEventListener("dragenter", (event) => { if (hasFiles(event)) mark(1); });
  document.addEventListener("dragleave", (event) => { if (hasFiles(event)) mark(-1); });
  document.addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
  document.addEventListener("drop", async (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = 0;
    mark(0);
    const [file] = event.dataTransfer.files;
    if (!file || document.body.dataset.ready !== "yes") return;
    if (/^(audio|video)\//.test(file.type) || AUDIO.test(file.name)) audio(file);
    else if (file.type.startsWith("text/") || TEXT.test(file.name)) text(await file.text());
    else complain(new Error(t("drop.unknown", { name: file.name })));
  });
}
