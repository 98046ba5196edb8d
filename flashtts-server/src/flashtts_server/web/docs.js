// Renders /openapi.json: every operation with its fields, its answers and a form to try it.

import { request } from "./key.js";

let description;

function make(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children.filter((child) => child !== null));
  return node;
}

function resolved(schema) {
  return schema?.$ref ? description.components.schemas[schema.$ref.split("/").pop()] : schema;
}

/** Say in a few words what a value may be. */
function kind(given) {
  const schema = resolved(given) ?? {};
  const parts = schema.anyOf ?? schema.oneOf;
  if (parts) return parts.filter((part) => part.type !== "null").map(kind).join(", or ");
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.format === "binary") return "file";
  const limits = [
    ["minimum", "≥"], ["exclusiveMinimum", ">"], ["maximum", "≤"], ["maxLength", "length ≤"],
  ].filter(([name]) => schema[name] !== undefined && Math.abs(schema[name]) < 1e15);
  return [schema.type ?? "", ...limits.map(([name, sign]) => `${sign} ${schema[name]}`)].join(" ").trim();
}

function meaning(given) {
  const schema = resolved(given) ?? {};
  const parts = schema.anyOf ?? schema.oneOf ?? [];
  return schema.description ?? parts.map((part) => resolved(part).description).find(Boolean) ?? "";
}

function row(...cells) {
  return make("tr", {}, ...cells.map((cell) => make("td", {}, cell)));
}

function fields(schema) {
  const body = resolved(schema);
  const required = new Set(body.required ?? []);
  return make("table", {}, make("tbody", {}, ...Object.entries(body.properties ?? {}).map(([name, field]) => {
    const preset = field.default === undefined || field.default === null ? "" : ` Default: ${field.default}.`;
    return row(name + (required.has(name) ? " *" : ""), kind(field), meaning(field) + preset);
  })));
}

async function shown(answer, output) {
  const type = answer.headers.get("Content-Type") ?? "";
  const head = `${answer.status} ${answer.statusText} · ${type} · request ${answer.headers.get("X-Request-Id") ?? ""}`;
  output.replaceChildren(make("p", { textContent: head }));
  if (type.startsWith("audio/")) {
    const url = URL.createObjectURL(await answer.blob());
    output.append(make("audio", { controls: true, src: url }), make("a", { href: url, download: "speech", textContent: "Download" }));
    return;
  }
  const text = await answer.text();
  let pretty = text;
  if (type.includes("json")) pretty = JSON.stringify(JSON.parse(text), null, 2);
  output.append(make("pre", { textContent: pretty }));
}

function formInputs(schema) {
  const body = resolved(schema);
  return Object.entries(body.properties).map(([name, field]) => {
    const file = kind(field) === "file";
    const input = make("input", { name, type: file ? "file" : "text", placeholder: kind(field) });
    return make("label", { textContent: name }, input);
  });
}

/** Return the parts of a form that make a request of an operation. */
function tryForm(path, method, operation) {
  const content = operation.requestBody?.content ?? {};
  const asForm = content["multipart/form-data"];
  const asJson = asForm ? null : content["application/json"];
  const parameters = (operation.parameters ?? []).map((parameter) => ({
    parameter,
    input: make("input", { name: parameter.name, required: parameter.required, placeholder: kind(parameter.schema) }),
  }));
  const area = asJson
    ? make("textarea", { value: JSON.stringify(asJson.example ?? {}, null, 2), spellcheck: false })
    : null;
  const output = make("div");
  const form = make("form", {},
    ...parameters.map(({ parameter, input }) => make("label", { textContent: parameter.name }, input)),
    ...(asForm ? formInputs(asForm.schema) : []),
    area ? make("label", { textContent: "Body" }, area) : null,
    make("p", { className: "actions" }, make("button", { className: "main", textContent: "Send" })));

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    let target = path;
    const query = new URLSearchParams();
    for (const { parameter, input } of parameters) {
      if (parameter.in === "path") target = target.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
      else if (input.value) query.set(parameter.name, input.value);
    }
    const options = { method: method.toUpperCase() };
    if (area) Object.assign(options, { body: area.value, headers: { "Content-Type": "application/json" } });
    if (asForm) {
      options.body = new FormData();
      for (const [name, value] of new FormData(form)) {
        if (value instanceof File ? value.size : value) options.body.append(name, value);
      }
    }
    output.replaceChildren(make("p", { textContent: "Waiting …" }));
    try {
      await shown(await request(target.slice(1) + (query.size ? `?${query}` : ""), options), output);
    } catch (error) {
      output.replaceChildren(make("p", { className: "status wrong", textContent: error.message }));
    }
  });
  return [make("h3", { textContent: "Try it" }), form, output];
}

function bodyParts(operation) {
  return Object.entries(operation.requestBody?.content ?? {}).slice(0, 1).flatMap(([type, media]) => [
    make("h3", { textContent: `Body (${Object.keys(operation.requestBody.content).join(", or ")})`, title: type }),
    fields(media.schema),
  ]);
}

function answers(operation) {
  return make("table", {}, make("tbody", {}, ...Object.entries(operation.responses).map(([status, answer]) =>
    row(status, Object.keys(answer.content ?? {}).join(", "), answer.description ?? ""))));
}

function card(path, method, operation, alsoAt) {
  const details = make("details", { className: "card" }, make("summary", {},
    make("span", { className: "method", textContent: method.toUpperCase() }),
    make("span", { className: "path", textContent: path }), ` ${operation.summary ?? ""}`));
  details.addEventListener("toggle", () => {
    if (details.childElementCount > 1) return;
    details.append(
      make("p", { textContent: [operation.description, alsoAt ? `Also at ${alsoAt}.` : ""].filter(Boolean).join(" ") }),
      ...bodyParts(operation), make("h3", { textContent: "Answers" }), answers(operation),
      ...tryForm(path, method, operation));
  });
  return details;
}

async function render() {
  description = await (await fetch("openapi.json")).json();
  document.getElementById("version").textContent = description.info.version;
  document.getElementById("about").textContent = description.info.description;
  const main = document.getElementById("operations");
  for (const tag of description.tags) {
    main.append(make("h2", { textContent: tag.name }), make("p", { textContent: tag.description }));
    for (const [path, methods] of Object.entries(description.paths).sort()) {
      if (path.startsWith("/v1/") && description.paths[path.slice(3)]) continue; // shown once, with the shorter path
      for (const [method, operation] of Object.entries(methods)) {
        if (method === "head" || !operation.tags?.includes(tag.name)) continue;
        main.append(card(path, method, operation, description.paths[`/v1${path}`] ? `/v1${path}` : null));
      }
    }
  }
}

render().catch((error) => { document.getElementById("about").textContent = `The description cannot be read: ${error.message}`; });
