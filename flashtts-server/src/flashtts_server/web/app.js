// The page: asks the server what it can do, sends what is to be spoken, and tells how it goes.

import { Clone } from "./clone.js";
import { Controls } from "./controls.js";
import { Dialogue } from "./dialogue.js";
import { Dock, figure } from "./dock.js";
import { at } from "./dom.js";
import { acceptDrops } from "./drops.js";
import { frame } from "./frame.js";
import { History } from "./history.js";
import { Picker } from "./picker.js";
import { Player } from "./player.js";
import { RoleList } from "./rolelist.js";
import { Previews, Roles } from "./roles.js";
import { request, sentence } from "./server.js";
import { Run } from "./speech.js";
import { language, sampleText, t } from "./texts.js";

const VIEWS = ["speak", "dialogue", "voices"];
const DRAFT = "flashtts-draft";

const player = new Player();
const dock = new Dock(player);
const history = new History({
  play: (run) => { dock.show(run, { play: true }); },
  reuse: (run) => { at("text").value = run.job.title; count(); location.hash = "speak"; at("text").focus(); },
});
let info;
let parts = {}; // what is made once the server has said what it can do
let current = null; // the run that the buttons and the status are about
let pace = 1; // how much longer speech was than expected, as this visit has shown

/** Tell how it goes. */
function say(words) {
  at("status").textContent = words;
  at("problem").hidden = true;
}

/** Tell what went wrong (null: nothing any more), and offer to do it again if that can help. */
function complain(error, again = null) {
  if (error === null) return say("");
  if (error.name === "AbortError") return undefined;
  at("status").textContent = "";
  at("problem").hidden = false;
  at("problem-words").textContent = sentence(error);
  at("again").hidden = again === null;
  at("again").onclick = () => { say(""); again(); };
  at("problem").scrollIntoView({ block: "nearest" });
  return undefined;
}

/** Return about how many seconds a text takes to say. */
function expected(text) {
  const dense = text.match(/[\p{sc=Han}\p{sc=Hangul}\p{sc=Hiragana}\p{sc=Katakana}]/gu)?.length ?? 0;
  return pace * (dense / 4.5 + ([...text].length - dense) / 14);
}

function count() {
  const text = at("text").value;
  const [length, limit] = [[...text].length, info.limits.text_characters];
  const number = (value) => value.toLocaleString(language());
  const over = length - limit;
  at("count").textContent = over > 0
    ? t("speak.long", { over: number(over), limit: number(limit) })
    : t("speak.count", { count: number(length), limit: number(limit) });
  at("count").classList.toggle("wrong", over > 0);
  at("estimate").textContent = text.trim() ? t("speak.estimate", { seconds: Math.max(1, Math.round(expected(text))) }) : "";
  sessionStorage.setItem(DRAFT, text);
}

/** Speak a job, in place of what is being spoken. */
function perform(job) {
  current?.stop();
  parts.previews.stop();
  const { format } = parts.controls;
  const run = new Run({ ...job, format, estimate: expected(job.spoken ?? job.title) });
  run.again = () => perform(job);
  current = run;
  run.addEventListener("change", () => follow(run));
  dock.show(run, { play: true });
  run.start();
  follow(run);
}

function follow(run) {
  if (run.firstSound !== null) history.add(run);
  if (run !== current) return;
  drawStops();
  if (run.state === "failed") return complain(run.error, run.again);
  if (run.state === "complete") {
    if (run.sound.mute) return complain(new Error(t("run.mute", { format: run.job.format })));
    pace *= Math.min(2, Math.max(0.5, run.duration / Math.max(run.job.estimate, 0.1)));
    return say(run.ignored ? t("run.ignored", { names: run.ignored }) : t("run.complete"));
  }
  return say(run.notice || t(`run.${run.state}`));
}

function drawStops() {
  for (const button of document.querySelectorAll(".stop")) button.disabled = !current?.running && !player.playing;
}

function stop() {
  current?.stop();
  player.pause();
}

function speak() {
  const text = at("text").value;
  if (!text.trim()) {
    at("text").focus();
    return complain(new Error(t("speak.empty")));
  }
  if (!parts.controls.valid()) return undefined;
  const voice = parts.picker.chosen;
  const body = { text, name: voice, stream: true, ...parts.controls.values };
  return perform({ path: "speak", body, title: text.trim(), voice, reusable: true });
}

function speakDialogue() {
  if (!parts.controls.valid()) return;
  try {
    const text = parts.dialogue.script;
    const body = { text, stream: true, stream_format: "sse", ...parts.controls.values };
    const spoken = text.replace(/<role:[^<>]*>/g, "");
    perform({ path: "multi_speak", body, title: spoken.trim(), spoken, voice: t("dialogue.title"), dialogue: true });
  } catch (error) {
    complain(error);
  }
}

/** Do what the main button of the view does. */
function go() {
  if (info === undefined) return;
  const acts = { speak, dialogue: speakDialogue, voices: () => parts.clone.try() };
  acts[view()]();
}

const view = () => (VIEWS.includes(location.hash.slice(1)) ? location.hash.slice(1) : "speak");

function navigate() {
  for (const name of VIEWS) {
    at(`view-${name}`).hidden = name !== view();
    const link = document.querySelector(`nav [href="#${name}"]`);
    if (name === view()) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.body.dataset.view = view();
}

function highlight() {
  const { run } = dock;
  if (!run?.job.dialogue) return parts.dialogue.highlight(-1);
  const heard = player.playing ? run.turns.findLastIndex((start) => start <= player.seconds) : -1;
  return parts.dialogue.highlight(heard);
}

function drawModel() {
  const words = { model: info.model, languages: info.abilities.languages.join(" "), rate: info.sample_rate / 1000 };
  at("model").textContent = t("connect.model", words);
  at("version").textContent = t("footer.version", { version: info.version });
  count();
}

async function connect() {
  say(t("connect.waiting"));
  const answer = await request("server_info", {}, { onWait: () => say(t("connect.loading")) });
  info = await answer.json();
  const roles = new Roles(info);
  const previews = new Previews(roles, player);
  const controls = new Controls(at("controls"), info);
  const shared = { info, roles, previews, controls, perform, say, complain };
  parts = {
    ...shared,
    picker: new Picker(at("picker"), roles, previews, complain),
    clone: new Clone(shared),
    dialogue: new Dialogue(shared),
    list: new RoleList(shared),
  };
  at("text").value = sessionStorage.getItem(DRAFT) || sampleText("speak.sample", info.abilities.languages);
  drawModel();
  document.addEventListener("language", drawModel);
  at("text").addEventListener("input", count);
  for (const button of document.querySelectorAll(".go")) button.disabled = false;
  document.body.dataset.ready = "yes";
  say(t("connect.ready"));
}

function start() {
  connect().catch((error) => complain(error, start));
}

frame();
navigate();
window.addEventListener("hashchange", navigate);
for (const id of ["speak", "play-all"]) at(id).addEventListener("click", go);
for (const button of document.querySelectorAll(".stop")) button.addEventListener("click", stop);
player.addEventListener("change", () => { drawStops(); if (info) highlight(); });
at("dock").addEventListener("tick", highlight);
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) go();
  else if (event.key === "Escape" && !document.querySelector("dialog[open]")) stop();
});
acceptDrops({
  text: (text) => {
    if (view() === "dialogue" || /<role:/i.test(text)) {
      location.hash = "dialogue";
      parts.dialogue.take(text);
    } else {
      location.hash = "speak";
      at("text").value = text;
      count();
    }
  },
  audio: (file) => {
    location.hash = "voices";
    if (info.abilities.cloning) parts.clone.take(file);
    else complain(new Error(t("clone.unable")));
  },
  complain,
});
start();
