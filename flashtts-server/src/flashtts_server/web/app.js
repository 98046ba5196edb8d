// The page: asks the server what it can do, sends what is to be spoken, and tells how it goes.

import { Clone } from "./clone.js";
import { Controls } from "./controls.js";
import { Dialogue } from "./dialogue.js";
import { Dock } from "./dock.js";
import { at } from "./dom.js";
import { Draft } from "./draft.js";
import { acceptDrops } from "./drops.js";
import { frame } from "./frame.js";
import { History } from "./history.js";
import { leftOut } from "./leftout.js";
import { expected, learn } from "./measure.js";
import { Messages } from "./messages.js";
import { Picker } from "./picker.js";
import { Player } from "./player.js";
import { RoleList } from "./rolelist.js";
import { Previews, Roles } from "./roles.js";
import { looksLikeScript, withoutTags } from "./script.js";
import { passing, request } from "./server.js";
import { Run } from "./speech.js";
import { t } from "./texts.js";

const VIEWS = ["speak", "dialogue", "voices"];

const messages = new Messages();
const { say, tick, complain, mend } = messages;
const player = new Player();
const dock = new Dock(player);
const history = new History({
  play: (run) => { dock.show(run, { play: true }); },
  reuse: (run) => { parts.draft.text = run.job.title; visit("speak"); at("text").focus(); },
});
let info;
let parts = {}; // what is made once the server has said what it can do
let current = null; // the run that the buttons and the status are about

/** Speak a job, in place of what is being spoken. */
function perform(job) {
  current?.stop();
  parts.previews.stop();
  const { format } = parts.controls;
  const run = new Run({ ...job, view: view(), format, estimate: expected(job.spoken ?? job.title) });
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
  if (run.state === "failed") return complain(run.error, passing(run.error) ? () => go(run.job.view) : null);
  if (run.state === "complete") {
    if (run.sound.mute) return complain(new Error(t("run.mute", { format: run.job.format })));
    learn(run.duration, run.job.estimate);
    return say(leftOut(run.ignored));
  }
  return run.notice ? tick(run.notice, run.aloud) : say(t(`run.${run.state}`));
}

function drawStops() {
  const stopped = !current?.running && !player.playing;
  for (const button of document.querySelectorAll(".stop")) {
    if (stopped && button === document.activeElement) button.parentElement.querySelector("button:not(.stop)").focus();
    button.disabled = stopped;
  }
}

function stop() {
  current?.stop();
  player.pause();
}

function speak() {
  const text = parts.draft.checked();
  const voice = parts.picker.chosen;
  const body = { text, name: voice, stream: true, ...parts.controls.values };
  perform({ path: "speak", body, title: text.trim(), voice, reusable: true });
}

function speakDialogue() {
  const text = parts.dialogue.checked();
  const body = { text, stream: true, stream_format: "sse", ...parts.controls.values };
  const spoken = withoutTags(text);
  perform({ path: "multi_speak", body, title: spoken.trim(), spoken, voice: t("dialogue.title"), dialogue: true });
}

/** Do what the main button of a view does, with what its form says now. */
function go(name = view()) {
  if (info === undefined) return;
  visit(name);
  if (!parts.controls.valid()) return;
  try {
    ({ speak, dialogue: speakDialogue, voices: () => parts.clone.try() })[name]();
  } catch (error) {
    complain(error);
  }
}

const view = () => (VIEWS.includes(location.hash.slice(1)) ? location.hash.slice(1) : "speak");

/** Go to a view at once. */
function visit(name) {
  if (view() !== name) location.hash = name;
  navigate();
}

function navigate() {
  if (document.body.dataset.view === view()) return;
  for (const name of VIEWS) {
    at(`view-${name}`).hidden = name !== view();
    const link = document.querySelector(`nav [href="#${name}"]`);
    if (name === view()) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.body.dataset.view = view();
  parts.clone?.leave();
  if (info) messages.settle();
}

/** Open a text as a dialogue. */
function openDialogue(text) {
  visit("dialogue");
  parts.dialogue.take(text);
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
}

async function connect() {
  say(t("connect.waiting"));
  const answer = await request("server_info", {}, { onWait: () => say(t("connect.loading")) });
  info = await answer.json();
  const roles = new Roles(info);
  const previews = new Previews(roles, player, messages);
  const controls = new Controls(at("controls"), info);
  const shared = { info, roles, previews, controls, perform, go, messages };
  parts = {
    ...shared,
    draft: new Draft(info, openDialogue),
    picker: new Picker(at("picker"), roles, previews),
    clone: new Clone(shared),
    dialogue: new Dialogue(shared),
    list: new RoleList(shared),
  };
  drawModel();
  document.addEventListener("language", drawModel);
  for (const button of document.querySelectorAll(".go")) button.disabled = false;
  document.body.dataset.ready = "yes";
  say(t("connect.ready"));
  messages.settle();
}

function start() {
  connect().catch((error) => complain(error, start));
}

frame();
navigate();
window.addEventListener("hashchange", navigate);
for (const id of ["speak", "play-all"]) at(id).addEventListener("click", () => go());
for (const button of document.querySelectorAll(".stop")) button.addEventListener("click", stop);
player.addEventListener("change", () => { drawStops(); if (info) highlight(); });
at("dock").addEventListener("tick", highlight);
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) go();
  else if (event.key === "Escape" && !document.querySelector("dialog[open]")) {
    stop();
    parts.clone?.leave();
  }
});
acceptDrops({
  text: (text) => {
    if (view() === "dialogue" || looksLikeScript(text)) return openDialogue(text);
    visit("speak");
    parts.draft.text = text;
    return mend();
  },
  audio: (file) => {
    visit("voices");
    if (info.abilities.cloning) parts.clone.take(file);
    else complain(new Error(t("clone.unable")));
  },
  complain,
});
start();
