// The form that sends a request of one operation, shows it as code, and shows the answer.

import { Code } from "./code.js";
import { labelled, make, worded } from "./dom.js";
import { asCurl, asPython } from "./samples.js";
import { post, send, sentence } from "./server.js";
import { t } from "./texts.js";

const FORM = "multipart/form-data";
const BODY = "body"; // the one input of JSON

/** The form for `operation` at `path`; `world` knows the schemas, the roles and whether a key is wanted. */
export class TryOut {
  constructor(world, path, method, operation) {
    Object.assign(this, { world, path, method: method.toUpperCase(), operation, id: operation.operationId });
    const content = operation.requestBody?.content ?? {};
    this.media = content[FORM] ?? content["application/json"];
    this.isForm = FORM in content;
    this.parameters = operation.parameters ?? [];
    this.inputs = new Map();
    this.output = make("div", { className: "output", "aria-live": "polite" });
    this.code = new Code({ curl: asCurl, Python: asPython }, () => this.request());
    this.node = this.draw();
    this.code.show();
  }

  get example() {
    return this.world.example(this.method.toLowerCase(), this.path, this.media?.example ?? {});
  }

  /** Follow what the page has learnt of the server, but leave what was typed. */
  refit() {
    const { example } = this;
    for (const [name, input] of this.inputs) {
      const fresh = name === BODY ? JSON.stringify(example, null, 2) : String(example[name] ?? "");
      if (input.type !== "file" && input.value === input.defaultValue) input.value = input.defaultValue = fresh;
    }
    this.unable.hidden = this.world.cloning || !this.recording;
    this.code.show();
  }

  draw() {
    const { example } = this;
    const fields = this.parameters.map(({ name, schema, required }) => this.field(name, schema, { required, example: example[name] }));
    if (this.isForm) {
      for (const [name, schema, required] of this.world.reader.fields(this.media.schema)) {
        fields.push(this.field(name, schema, { required, example: example[name] }));
      }
      this.sampleWanted = this.sampleChoice();
    } else if (this.media) fields.push(this.bodyField());
    this.cancel = worded("button", "docs.cancel", { type: "button", hidden: true, onclick: () => this.controller?.abort() });
    this.unable = worded("p", "docs.unable", { className: "wrong small", hidden: true });
    const form = make("form", { noValidate: true }, this.unable,
      make("div", { className: "inputs" }, ...fields), this.sampleWanted,
      make("p", { className: "actions" }, worded("button", "docs.send", { className: "main" }), this.cancel));
    form.addEventListener("submit", (event) => { event.preventDefault(); this.send(); });
    form.addEventListener("input", () => this.code.show());
    return make("div", { className: "tryout" }, form, this.code.node, this.output);
  }

  label(name, input, title, required = false) {
    Object.assign(input, { id: `${this.id}-${name}`, required });
    this.inputs.set(name, input);
    return make("div", {}, make("label", { for: input.id }, make("code", {}, title),
      required ? worded("span", "docs.required", { className: "required" }) : null), input);
  }

  field(name, schema, { required = false, example = "" }) {
    const { reader } = this.world;
    const choices = reader.choices(schema) ?? (reader.kind(schema) === "boolean" ? [true, false] : null);
    let input;
    if (reader.isFile(schema)) input = make("input", { type: "file" });
    else if (choices) {
      input = make("select", {}, worded("option", "docs.unset", { value: "" }), ...choices.map((value) => new Option(value, value)));
      input.value = String(example);
    } else input = make("input", { defaultValue: example, placeholder: reader.kind(schema), autocomplete: "off" });
    return this.label(name, input, name, required);
  }

  bodyField() {
    const text = JSON.stringify(this.example, null, 2);
    const input = make("textarea", { defaultValue: text, rows: text.split("\n").length + 1, spellcheck: false, className: "code" });
    return this.label(BODY, input, worded("span", "docs.bodyfield"));
  }

  /** Offer speech of this server as the recording, so that the example runs without a file at hand. */
  sampleChoice() {
    const files = this.world.reader.fields(this.media.schema).filter(([, schema]) => this.world.reader.isFile(schema));
    this.recording = files.map(([name]) => name).find((name) => name.includes("audio"));
    if (!this.recording) return null;
    this.useSample = make("input", { type: "checkbox", checked: true });
    return make("label", { className: "sample" }, this.useSample, " ", worded("span", "docs.sample"));
  }

  /** Return the fields of the form that were filled in. */
  filled() {
    const entries = [];
    for (const [name, input] of this.inputs) {
      if (this.parameters.some((parameter) => parameter.name === name)) continue;
      if (input.type === "file" && input.files.length) entries.push([name, input.files[0]]);
      else if (input.type !== "file" && input.value !== "") entries.push([name, input.value]);
    }
    const given = new Set(entries.map(([name]) => name));
    const inline = this.recording?.replace(/_file$/, "");
    if (this.useSample?.checked && !given.has(this.recording) && !given.has(inline)) {
      entries.push([this.recording, new File([], "recording.wav")]);
    }
    return entries;
  }

  /** Return the first input that has to be filled in and is not, or undefined. */
  missing() {
    const given = new Set(this.isForm ? this.filled().map(([name]) => name) : []);
    return [...this.inputs.values()].find((input) => input.required && !input.value && !given.has(input.id.slice(this.id.length + 1)));
  }

  /** Return the request as the samples and `send` need it; throws if the JSON is none or a field is missing. */
  request() {
    const missing = this.missing();
    if (missing) throw new Error(t("docs.missing", { name: missing.id.slice(this.id.length + 1) }));
    let { path } = this;
    const query = new URLSearchParams();
    for (const { name, in: place } of this.parameters) {
      const { value } = this.inputs.get(name);
      if (place === "path") path = path.replace(`{${name}}`, encodeURIComponent(value));
      else if (value !== "") query.set(name, value);
    }
    const target = path.slice(1) + (query.size ? `?${query}` : "");
    const audio = Object.keys(this.operation.responses["200"]?.content ?? {}).some((type) => type.startsWith("audio/"));
    const json = this.media && !this.isForm ? JSON.parse(this.inputs.get(BODY).value) : undefined;
    const form = this.isForm ? this.filled() : undefined;
    const fields = json ?? Object.fromEntries(form ?? []);
    return {
      method: this.method, target, url: new URL(target, document.baseURI).href, json, form,
      secured: this.world.secured && this.operation.security?.length !== 0,
      audio: audio && fields.stream_format !== "sse", format: fields.response_format ?? "mp3",
    };
  }

  async send() {
    this.output.replaceChildren(worded("p", "docs.waiting", { className: "faint" }));
    this.controller = new AbortController();
    this.cancel.hidden = false;
    this.missing()?.focus();
    try {
      const { method, target, json, form } = this.request();
      const options = { method, signal: this.controller.signal };
      if (json !== undefined) Object.assign(options, { body: JSON.stringify(json), headers: { "Content-Type": "application/json" } });
      if (form) options.body = await this.formData(form);
      await this.answered(await send(target, options));
    } catch (error) {
      const words = error.name === "AbortError" ? t("docs.stopped") : sentence(error);
      this.output.replaceChildren(make("p", { className: "wrong", textContent: words }));
    }
    this.cancel.hidden = true;
  }

  async formData(entries) {
    const data = new FormData();
    for (const [name, value] of entries) data.set(name, value instanceof File && !value.size ? await this.spoken() : value);
    return data;
  }

  /** Return a recording made by the server itself. */
  async spoken() {
    const body = { text: "This recording was made by the server, as an example.", response_format: "wav" };
    return new File([await (await post("speak", body)).blob()], "recording.wav");
  }

  async answered(answer) {
    const type = answer.headers.get("Content-Type") ?? "";
    const facts = ["X-Sample-Rate", "X-Flashtts-Ignored", "Retry-After", "X-Request-Id"]
      .filter((name) => answer.headers.get(name)).map((name) => `${name}: ${answer.headers.get(name)}`);
    const head = make("p", { className: answer.ok ? "small" : "small wrong" },
      make("strong", { textContent: `${answer.status} ${answer.statusText}` }), ` · ${[type, ...facts].join(" · ")}`);
    if (type.startsWith("audio/")) {
      const url = URL.createObjectURL(await answer.blob());
      this.output.replaceChildren(head, make("audio", { controls: true, src: url, ...labelled("docs.audio") }),
        worded("a", "docs.download", { href: url, download: `speech.${this.request().format}` }));
      return;
    }
    const text = await answer.text();
    const pretty = type.includes("json") && text ? JSON.stringify(JSON.parse(text), null, 2) : text;
    this.output.replaceChildren(head, make("pre", { className: "code", tabIndex: 0, textContent: pretty }));
  }
}

