// The documentation of the API, made from /openapi.json: every operation with its fields, answers, and a form to try it.

import { Conversation } from "./conversation.js";
import { at, make, worded } from "./dom.js";
import { exampleOf, inOrder } from "./examples.js";
import { frame } from "./frame.js";
import { askForKey, key } from "./key.js";
import { SchemaReader } from "./schema.js";
import { send } from "./server.js";
import { t } from "./texts.js";
import { TryOut } from "./tryout.js";

let world = null; // the description and what the examples need to know of the server
const trials = []; // the forms that send a request

/** Return the operations that are shown, in the order of their tags; each once, with the shorter path. */
function operationsOf(description) {
  return description.tags.map((tag) => ({
    tag,
    operations: Object.entries(description.paths)
      .filter(([path]) => !(path.startsWith("/v1/") && description.paths[path.slice(3)]))
      .flatMap(([path, methods]) => Object.entries(methods)
        .filter(([, operation]) => operation.tags?.includes(tag.name))
        .map(([method, operation]) => ({ path, method, operation, anchor: `${method}${path.replace(/[^a-z0-9]+/gi, "-")}` })))
      .sort(inOrder),
  }));
}

function method(name) {
  return make("span", { className: `method ${name}`, textContent: name.toUpperCase() });
}

/** Return words of the description, with what stands between backticks as code. */
function prose(text) {
  return (text ?? "").split("`").map((part, i) => (i % 2 ? make("code", { textContent: part }) : part));
}

function answers(operation) {
  const { reader } = world;
  return Object.entries(operation.responses).map(([status, answer]) => {
    const types = Object.keys(answer.content ?? {});
    const schema = answer.content?.["application/json"]?.schema;
    const ok = status.startsWith("2");
    const headers = Object.entries(answer.headers ?? {}).map(([name, header]) => (
      make("p", { className: "small" }, make("code", { textContent: name }), ` ${header.description ?? ""}`)));
    const parts = schema && ok ? reader.parts(schema).filter((part) => part.properties) : [];
    const notes = ok ? types.map((type) => answer.content[type].schema?.description).filter(Boolean) : [];
    return make("div", { className: "answer" },
      make("p", {}, make("strong", { className: ok ? "" : "faint", textContent: status }), ` ${answer.description ?? ""} `,
        ok ? make("span", { className: "faint small", textContent: types.join(", ") }) : null),
      ...headers, ...notes.map((note) => make("p", { className: "small", textContent: note })),
      ...parts.map((part) => reader.table(part, worded("span", "docs.answer", { values: { status } }))));
  });
}

function parameters(operation) {
  if (!operation.parameters?.length) return [];
  const properties = Object.fromEntries(operation.parameters.map((each) => (
    [each.name, { ...each.schema, description: each.description ?? each.schema.description ?? "" }])));
  const required = operation.parameters.filter((each) => each.required).map((each) => each.name);
  const title = (tag) => worded(tag, "docs.parameters");
  return [title("h4"), world.reader.table({ properties, required }, title("span"))];
}

function body(operation) {
  const content = operation.requestBody?.content;
  if (!content) return [];
  const [media] = Object.values(content);
  return [
    make("h4", {}, worded("span", "docs.body"), " ", make("span", { className: "faint small", textContent: Object.keys(content).join(", ") })),
    world.reader.table(media.schema, worded("span", "docs.body")),
  ];
}

/** Return the messages of a WebSocket, both ways. */
function messages({ client, server }) {
  return [["docs.client", client], ["docs.server", server]].map(([key, side]) => make("details", {}, worded("summary", key),
    side.description ? make("p", { className: "small", textContent: side.description }) : null,
    ...side.oneOf.flatMap((reference) => {
      const schema = world.reader.resolved(reference);
      return [
        make("p", { className: "message" }, make("strong", { textContent: schema.title ?? "" }), " ", ...prose(schema.description)),
        world.reader.table(schema, schema.title ?? ""),
      ];
    })));
}

function card({ path, method: name, operation, anchor }) {
  const also = world.description.paths[`/v1${path}`] ? `/v1${path}` : null;
  const open = operation.security?.length === 0;
  const socket = operation["x-websocket"];
  const trial = socket ? new Conversation(world, path, operation) : new TryOut(world, path, name, operation);
  if (!socket) trials.push(trial);
  const form = [worded("h4", "docs.try"), trial.node];
  const replies = make("details", {}, worded("summary", "docs.answers"), ...answers(operation));
  return make("article", { className: "sheet", id: anchor, "aria-labelledby": `title-${anchor}` },
    make("h3", { id: `title-${anchor}`, lang: "en", textContent: operation.summary }),
    make("p", { className: "path" }, method(name), make("code", { textContent: path }),
      also ? make("span", { className: "faint small" }, worded("span", "docs.also"), " ", make("code", { textContent: also })) : null,
      open && world.secured ? worded("span", "docs.open", { className: "faint small" }) : null),
    make("p", { lang: "en" }, ...prose(operation.description)),
    make("div", { lang: "en" }, ...parameters(operation), ...body(operation)),
    ...(socket ? [...form, ...messages(socket), replies] : [replies, ...form]));
}

function draw() {
  const groups = operationsOf(world.description);
  at("about").replaceChildren(...prose(world.description.info.description));
  at("operations").append(...groups.map(({ tag, operations }) => make("section", { className: "group", "aria-label": tag.name },
    make("h2", { textContent: tag.name, lang: "en" }), make("p", { className: "faint", textContent: tag.description, lang: "en" }),
    ...operations.map(card))));
  at("contents").replaceChildren(...groups.flatMap(({ tag, operations }) => [
    make("p", { className: "faint small", textContent: tag.name, lang: "en" }),
    ...operations.map((each) => make("a", { href: `#${each.anchor}` }, method(each.method), make("code", { textContent: each.path }))),
  ]));
  search();
}

function search() {
  const wanted = at("search").value.trim().toLowerCase();
  let shown = 0;
  for (const article of document.querySelectorAll("article")) {
    article.hidden = !article.textContent.toLowerCase().includes(wanted);
    shown += article.hidden ? 0 : 1;
    document.querySelector(`#contents [href="#${article.id}"]`).hidden = article.hidden;
  }
  for (const group of document.querySelectorAll(".group")) group.hidden = !group.querySelector("article:not([hidden])");
  at("nothing").textContent = shown ? "" : t("docs.nothing", { text: at("search").value.trim() });
}

/** Learn the roles of the server and whether it clones, without asking for a key. */
async function meet() {
  if (world.secured && key() === null) return;
  const answer = await send("server_info").catch(() => null);
  if (!answer?.ok) return;
  const { roles, abilities } = await answer.json();
  Object.assign(world, { roles, cloning: abilities.cloning });
  for (const trial of trials) trial.refit();
}

async function start() {
  const description = await (await fetch("openapi.json")).json();
  const secured = Boolean(description.security?.length);
  const example = (method, path, given) => exampleOf(method, path, given, world.roles);
  world = { description, secured, reader: new SchemaReader(description), example, roles: [], cloning: true };
  at("model").textContent = t("footer.version", { version: description.info.version });
  at("enter-key").hidden = !secured;
  draw();
  await meet();
  document.body.dataset.ready = "yes";
  document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

frame();
at("search").addEventListener("input", search);
at("enter-key").addEventListener("click", async () => {
  await askForKey();
  await meet();
});
document.addEventListener("language", () => { if (world) search(); });
start().catch((error) => { at("about").textContent = t("docs.failed", { message: error.message }); });
