// What was made during this visit, to hear, save and use again.

import { at, clock, iconButton, make, replaceRows } from "./dom.js";
import { download } from "./dock.js";
import { t } from "./texts.js";

const MOST = 30;
const SHORT = 40;

/** Draws the runs that `add` was given, the latest first. */
export class History {
  constructor({ play, reuse }) {
    Object.assign(this, { play, reuse, runs: [], numbers: new Map() });
    document.addEventListener("language", () => this.draw());
    this.draw();
  }

  /** Remember a run that has sound, once. */
  add(run) {
    if (this.runs.includes(run)) return;
    this.runs = [run, ...this.runs].slice(0, MOST);
    this.numbers.set(run, this.numbers.size);
    run.addEventListener("change", () => this.draw());
    this.draw();
  }

  draw() {
    at("history-empty").hidden = this.runs.length > 0;
    replaceRows(at("history"), this.runs.map((run) => this.row(run)), at("title-history"));
  }

  row(run) {
    const { title, voice, format, reusable } = run.job;
    const text = title.length > SHORT ? `${title.slice(0, SHORT)} …` : title;
    const stopped = run.state === "stopped" ? [t("history.stopped")] : [];
    const facts = [voice, format, clock(run.duration), ...stopped].filter(Boolean).join(" · ");
    return make("li", { "data-row": this.numbers.get(run) },
      iconButton("play", t("history.play", { text }), () => this.play(run)),
      make("div", { className: "what" },
        make("span", { className: "title", textContent: title, title }),
        make("span", { className: "faint small", textContent: facts })),
      reusable ? iconButton("again", t("history.reuse", { text }), () => this.reuse(run)) : null,
      iconButton("download", t("history.download", { text }), () => download(run), { disabled: run.running || run.state === "failed" }),
      iconButton("close", t("history.remove", { text }), () => {
        this.runs = this.runs.filter((each) => each !== run);
        this.draw();
      }));
  }
}
