// Reads and writes the markup of dialogues, by the rules of the server: <role:NAME> or <role:NAME,pitch:high,speed:low>.

import { t } from "./texts.js";

const LOOKS_LIKE_A_TAG = /<\s*(?:\/\s*)?role\s*(?=[:：,，=<>]|$)/gi;
const TAG = /<role:([^<>]*)>/y;
const ATTRIBUTES = ["pitch", "speed"];

/** Say whether a text has role tags, be they well formed or not. */
export const looksLikeScript = (text) => text.search(LOOKS_LIKE_A_TAG) >= 0;

/** Return what is said in a dialogue. */
export const withoutTags = (text) => text.replace(/<role:[^<>]*>/g, "");

/** Return the turns of a dialogue as `{role, text, pitch, speed}` ("" where none is given); throws a sentence. */
export function parseScript(text, levels) {
  const starts = [...text.matchAll(LOOKS_LIKE_A_TAG)].map((match) => match.index);
  if (!starts.length) throw new Error(t("markup.none"));
  if (text.slice(0, starts[0]).trim()) throw new Error(t("markup.before", { line: 1 }));
  return starts.map((start, i) => parseTurn(text, start, starts[i + 1] ?? text.length, levels));
}

function parseTurn(text, start, end, levels) {
  const line = text.slice(0, start).split("\n").length;
  TAG.lastIndex = start;
  const tag = TAG.exec(text);
  if (!tag) throw new Error(t("markup.tag", { line }));
  const [name, ...attributes] = tag[1].split(",").map((part) => part.trim());
  if (!name || name.includes(":")) throw new Error(t("markup.name", { line }));
  const turn = { role: name, text: text.slice(start + tag[0].length, end).trim(), pitch: "", speed: "" };
  if (!turn.text) throw new Error(t("markup.text", { name, line }));
  for (const part of attributes) {
    const [key, ...rest] = part.split(":").map((word) => word.trim());
    if (!ATTRIBUTES.includes(key) || turn[key]) throw new Error(t("markup.attribute", { name, line, part }));
    turn[key] = rest.join(":");
    if (!levels.includes(turn[key])) {
      throw new Error(t("markup.level", { name, line, part, levels: levels.join(", ") }));
    }
  }
  return turn;
}

/** Return turns as markup, one a line; throws a sentence for a turn that it cannot carry. */
export function formatScript(turns) {
  return turns.map((turn, i) => formatTurn(turn, i + 1)).join("\n");
}

function formatTurn(turn, number) {
  const text = turn.text.trim();
  if (!text) throw new Error(t("dialogue.empty", { number }));
  if (looksLikeScript(text)) throw new Error(t("dialogue.tagged", { number }));
  if (!turn.role) throw new Error(t("settings.novoice"));
  if (/[<>,:]/.test(turn.role)) throw new Error(t("dialogue.badname", { name: turn.role }));
  return tagged(turn);
}

/** Return a turn as markup, whether or not that can be read back. */
export function tagged(turn) {
  const attributes = ATTRIBUTES.filter((key) => turn[key]).map((key) => `,${key}:${turn[key]}`);
  return `<role:${turn.role}${attributes.join("")}>${turn.text.trim()}`;
}
