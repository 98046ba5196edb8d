// How long a text is: in characters, beside what the server takes, and in speech.

import { at } from "./dom.js";
import { language, t } from "./texts.js";

const MINUTES_FROM = 90; // seconds

let pace = 1; // how much longer speech was than expected, as this visit has shown

/** Return about how many seconds a text takes to say. */
export function expected(text) {
  const dense = text.match(/[\p{sc=Han}\p{sc=Hangul}\p{sc=Hiragana}\p{sc=Katakana}]/gu)?.length ?? 0;
  return pace * (dense / 4.5 + ([...text].length - dense) / 14);
}

/** Learn from speech that took other seconds than expected. */
export function learn(seconds, before) {
  pace *= Math.min(2, Math.max(0.5, seconds / Math.max(before, 0.1)));
}

/** Return a sentence if the text is longer than the server takes, else null. */
export function excess(text, limit) {
  const over = [...text].length - limit;
  const number = (value) => value.toLocaleString(language());
  return over > 0 ? t("length.over", { over: number(over), limit: number(limit) }) : null;
}

function duration(seconds) {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < MINUTES_FROM) return t("length.seconds", { seconds: whole });
  return t("length.minutes", { minutes: Math.floor(whole / 60), seconds: whole % 60 });
}

/** Show the length of `text`, of which `spoken` is said, in the elements whose ids begin with `place`. */
export function showLength(place, text, limit, spoken = text) {
  const number = (value) => value.toLocaleString(language());
  const over = excess(text, limit);
  at(`${place}count`).textContent = over ?? t("length.count", { count: number([...text].length), limit: number(limit) });
  at(`${place}count`).classList.toggle("wrong", over !== null);
  at(`${place}estimate`).textContent = spoken.trim() ? duration(expected(spoken)) : "";
}
