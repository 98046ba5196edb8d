// Requests to the server: with the API key if it asks for one, patient if it is busy, errors as sentences.

import { askForKey, key } from "./key.js";
import { known, t } from "./texts.js";

const ALOUD_EVERY = 15; // seconds

/** An answer that is no success, as a sentence that says what to do. */
export class Refusal extends Error {
  constructor(message, status = 0, code = "") {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Fetch once, asking for the key as often as the server refuses it; returns whatever answer there is. */
export async function send(path, options = {}) {
  for (;;) {
    const headers = new Headers(options.headers);
    const used = key();
    if (used) headers.set("Authorization", `Bearer ${used}`);
    const answer = await fetched(path, { ...options, headers });
    if (answer.status !== 401) return answer;
    // Another request may have asked for the key while this one was on its way.
    if (key() === used && (await askForKey()) === null) throw new Refusal(t("key.missing"), 401);
    options.signal?.throwIfAborted();
  }
}

async function fetched(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(t("error.unreachable"));
  }
}

/** Wait, telling `onWait` every second how many are left, and whether to say so aloud; rejects when `signal` aborts. */
function countdown(seconds, key, { signal, onWait }) {
  return new Promise((resolve, reject) => {
    let left = seconds;
    const stop = () => {
      clearInterval(timer);
      reject(signal.reason);
    };
    const timer = setInterval(() => {
      left -= 1;
      if (left > 0) return onWait(t(key, { seconds: left }), (seconds - left) % ALOUD_EVERY === 0);
      clearInterval(timer);
      signal?.removeEventListener("abort", stop);
      return resolve();
    }, 1000);
    signal?.addEventListener("abort", stop, { once: true });
    onWait(t(key, { seconds: left }), true);
  });
}

async function refusal(answer) {
  try {
    const { message, code } = (await answer.json()).error;
    return new Refusal(t("error.said", { message }), answer.status, code);
  } catch {
    return new Refusal(t("error.status", { status: answer.status }), answer.status);
  }
}

/**
 * Fetch and return an answer that succeeded. While the server is busy or not ready it waits as long as the server asks
 * and tries again; `onWait` hears a sentence every second, `onSend` of every attempt. Throws `Refusal`.
 */
export async function request(path, options = {}, { onWait = () => {}, onSend = () => {} } = {}) {
  for (;;) {
    onSend();
    const answer = await send(path, options);
    if (answer.ok) return answer;
    const seconds = Number(answer.headers.get("Retry-After"));
    if (![429, 503].includes(answer.status) || !seconds) throw await refusal(answer);
    await countdown(seconds, answer.status === 429 ? "run.busy" : "run.unready", { signal: options.signal, onWait });
  }
}

/** Send fields as JSON, or a form as it is, with `request`. */
export function post(path, body, options = {}, hooks = {}) {
  if (body instanceof FormData) return request(path, { ...options, method: "POST", body }, hooks);
  const headers = { "Content-Type": "application/json" };
  return request(path, { ...options, method: "POST", headers, body: JSON.stringify(body) }, hooks);
}

/** Say whether the same may go well another time: the connection was lost, or the fault is not in what was asked. */
export function passing(error) {
  if (error instanceof Refusal) return [0, 401, 429].includes(error.status) || error.status >= 500;
  return error instanceof TypeError;
}

/** Return the sentence of whatever was thrown. */
export function sentence(error) {
  if (error instanceof Refusal) return error.message;
  return error instanceof TypeError && known("run.broken") ? t("run.broken") : error.message;
}
