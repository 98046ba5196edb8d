// The page: asks the server what it can do, sends the text, plays the answer while it arrives.

import { request, sentence } from "./key.js";
import { livePlayer, playable } from "./play.js";

const at = (id) => document.getElementById(id);
const player = at("player");
let running = null; // the AbortController of the answer that is arriving
let live = null;
let urls = [];
let longest = Infinity;

function say(text, wrong = false) {
  at("status").textContent = text;
  at("status").classList.toggle("wrong", wrong);
}

function fill(select, values, chosen) {
  select.replaceChildren(...values.map((value) => new Option(value.replace("_", " "), value, false, value === chosen)));
}

function countCharacters() {
  const length = [...at("text").value].length;
  at("count").textContent = Number.isFinite(longest) ? `${length} of ${longest}` : "";
}

async function connect() {
  const answer = await request("server_info");
  if (answer.status === 503) {
    say(await sentence(answer));
    setTimeout(start, 1000);
    return;
  }
  if (!answer.ok) throw new Error(await sentence(answer));
  const info = await answer.json();
  at("model").textContent = `${info.model}, ${info.abilities.languages.join(", ")}`;
  fill(at("voice"), info.roles, info.roles[0]);
  fill(at("format"), info.formats, "mp3");
  fill(at("speed"), info.levels, "moderate");
  fill(at("pitch"), info.levels, "moderate");
  at("pitch-choice").hidden = !info.abilities.pitch;
  longest = info.limits.text_characters;
  countCharacters();
  at("speak").disabled = false;
  say("Ready.");
}

function stop() {
  running?.abort();
  live?.stop();
  player.pause();
}

function forget() {
  urls.forEach((url) => URL.revokeObjectURL(url));
  urls = [];
  at("download").hidden = true;
  player.hidden = true;
}

function offer(pieces, format, type, rate, keepPlaying) {
  const file = URL.createObjectURL(new Blob(pieces, { type }));
  urls.push(file);
  const link = at("download");
  link.href = file;
  link.download = `speech.${format}`;
  link.hidden = false;
  if (keepPlaying) return;
  const sound = URL.createObjectURL(playable(pieces, format, type, rate));
  urls.push(sound);
  player.src = sound;
  player.hidden = false;
}

async function receive(answer, format) {
  const type = answer.headers.get("Content-Type");
  const rate = Number(answer.headers.get("X-Sample-Rate"));
  const pieces = [];
  const reader = answer.body.getReader();
  live = livePlayer(player, format, type, rate);
  const streams = Boolean(live.url);
  if (streams) {
    urls.push(live.url);
    player.hidden = false;
  }
  say("Speaking …");
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    pieces.push(part.value);
    live.push(part.value);
  }
  live.end();
  offer(pieces, format, type, rate, streams);
  if (!streams && format !== "pcm") player.play().catch(() => {});
  const ignored = answer.headers.get("X-Flashtts-Ignored");
  say(ignored ? `Done. Left out: ${ignored}.` : "Done.");
}

async function speak() {
  stop();
  forget();
  const controller = new AbortController();
  running = controller;
  at("stop").disabled = false;
  say("Waiting for the first sound …");
  const format = at("format").value;
  const body = { text: at("text").value, name: at("voice").value, response_format: format, stream: true };
  if (at("speed").value !== "moderate") body.speed = at("speed").value;
  if (!at("pitch-choice").hidden && at("pitch").value !== "moderate") body.pitch = at("pitch").value;
  try {
    const answer = await request("speak", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: controller.signal,
    });
    if (!answer.ok) throw new Error(await sentence(answer));
    await receive(answer, format);
  } catch (error) {
    if (running !== controller) return; // a newer request has taken over
    if (error.name === "AbortError") say("Stopped.");
    else say(error instanceof TypeError ? "The speech broke off: the connection was lost." : error.message, true);
  }
  if (running === controller) running = null;
}

function start() {
  connect().catch((error) => say(error.message, true));
}

at("form").addEventListener("submit", (event) => { event.preventDefault(); speak(); });
at("stop").addEventListener("click", () => { stop(); at("stop").disabled = true; });
at("text").addEventListener("input", countCharacters);
at("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) at("form").requestSubmit();
});
start();
