// Tells how it goes and what went wrong: below the sheet, or above the player while that place is out of sight.

import { at, icon } from "./dom.js";
import { sentence } from "./server.js";

const AFLOAT = 6000; // milliseconds for which words stay in sight that nobody has to answer

/** What the page has to say; there is one of these, and its methods can be handed on. */
export class Messages {
  constructor() {
    this.until = 0;
    this.lasting = false;
    at("dismiss").append(icon("close"));
    at("dismiss").addEventListener("click", () => {
      this.mend({ all: true });
      at("content").focus();
    });
    at("content").addEventListener("input", () => this.mend());
    new ResizeObserver(() => this.makeRoom()).observe(at("dock"));
    for (const name of ["scroll", "resize"]) window.addEventListener(name, () => this.place(), { passive: true });
  }

  /** Tell how it goes. */
  say = (words) => {
    this.mend({ all: true });
    at("tick").textContent = "";
    at("status").classList.remove("unseen");
    if (at("status").textContent !== words) at("status").textContent = words;
    this.float();
  };

  /** Tell what changes every second; who listens to the page hears of it only if `aloud`. */
  tick = (words, aloud) => {
    if (aloud) this.say(words);
    at("status").classList.add("unseen");
    at("tick").textContent = words;
    this.float();
  };

  /** Tell what went wrong, and offer to do it `again`; without that it goes when something is changed. */
  complain = (error, again = null) => {
    if (error.name === "AbortError") return;
    this.say("");
    this.lasting = again !== null;
    at("problem-words").textContent = sentence(error);
    at("again").hidden = !this.lasting;
    at("again").onclick = () => { this.mend({ all: true }); again(); };
    at("problem").hidden = false;
    this.place();
  };

  /** Say no more of what went wrong, as it is mended; with `all` also of what can be done again. */
  mend = ({ all = false } = {}) => {
    if (at("problem").hidden || (this.lasting && !all)) return;
    at("problem").hidden = true;
    this.place();
  };

  /** Have nothing more to answer, and nothing afloat: it is another view, or not worth it. */
  settle = () => {
    this.until = 0;
    this.mend({ all: true });
    this.place();
  };

  float() {
    this.until = performance.now() + AFLOAT;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.place(), AFLOAT + 10);
    this.place();
  }

  /** Let nothing that is scrolled to end up behind the player. */
  makeRoom() {
    document.documentElement.style.setProperty("--dock", `${at("dock").offsetHeight}px`);
    this.place();
  }

  /** Lift the words above the player if they are new, or have to be answered, and could not be seen. */
  place() {
    const [place, words] = [at("told"), at("messages")];
    words.classList.remove("afloat");
    place.style.minHeight = "";
    const { top, bottom, height } = words.getBoundingClientRect();
    const seen = top >= 0 && bottom <= window.innerHeight - at("dock").offsetHeight;
    if (seen || height === 0 || (at("problem").hidden && performance.now() > this.until)) return;
    place.style.minHeight = `${height}px`;
    words.classList.add("afloat");
  }
}
