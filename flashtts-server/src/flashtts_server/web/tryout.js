// The form that sends a request of one operation, shows it as code, and shows the answer.

import { Code } from "./code.js";
import { make } from "./dom.js";
import { asCurl, asPython } from "./samples.js";
import { post, send, sentence } from "./server.js";
import { t } from "./texts.js";

const FORM = "multipart/form-data";

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
    return this.world.fitted(this.media?.example ?? {});
  }

  draw() {
    const fields = this.parameters.map((parameter) => this.field(parameter.name, parameter.schema, parameter));
    if (this.isForm) {
      for (const [name, schema, required] of this.world.reader.fields(this.media.schema)) {
        fields.push(this.field(name, schema, { required, example: this.example[name] }));
      }
      this.sampleWanted = this.sampleChoice();
    } else if (this.media) fields.push(this.bodyField());
    const cancel = make("button", { type: "button", textContent: t("docs.cancel"), hidden: true });
    cancel.addEventListener("click", () => this.controller?.abort());
    this.cancel = cancel;
    const form = make("form", { noValidate: true },
      make("div", { className: "inputs" }, ...fields), this.sampleWanted,
      make("p", { className: "actions" }, make("button", { className: "main", textContent: t("docs.send") }), cancel));
    form.addEventListener("submit", (event) => { event.preventDefault(); this.send(); });
    form.addEventListener("input", () => this.code.show());
    return make("div", { className: "tryout" }, form, this.code.node, this.output);
  }

  label(name, input, required = false) {
    input.id = `${this.id}-${name}`;
    this.inputs.set(name, input);
    return make("div", {}, make("label", { for: input.id }, make("code", { textContent: name }),
      required ? make("span", { className: "required", textContent: t("docs.required") }) : null), input);
  }

  field(name, schema, { required = false, example = "" }) {
    const { reader } = this.world;
    const choices = reader.choices(schema) ?? (reader.kind(schema) === "boolean" ? [true, false] : null);
    let input;
    if (reader.isFile(schema)) input = make("input", { type: "file" });
    else if (choices) {
      input = make("select", {}, new Option(t("docs.unset"), ""), ...choices.map((value) => new Option(value, value)));
      input.value = String(example);
    } else input = make("input", { value: example, placeholder: reader.kind(schema), autocomplete: "off" });
    return this.label(name, input, required);
  }

  bodyField() {
    const text = JSON.stringify(this.example, null, 2);
    const input = make("textarea", { value: text, rows: text.split("\n").length + 1, spellcheck: false, className: "code" });
    return this.label(t("docs.bodyfield"), input);
  }

  /** Offer speech of this server as the recording, so that the example runs without a file at hand. */
  sampleChoice() {
    const files = this.world.reader.fields(this.media.schema).filter(([, schema]) => this.world.reader.isFile(schema));
    this.recording = files.map(([name]) => name).find((name) => name.includes("audio"));
    if (!this.recording) return null;
    this.useSample = make("input", { type: "checkbox", checked: true });
    return make("label", { className: "sample" }, this.useSample, ` ${t("docs.sample")}`);
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

  /** Return the request as the samples and `send` need it; throws if the JSON is none. */
  request() {
    let { path } = this;
    const query = new URLSearchParams();
    for (const { name, in: place } of this.parameters) {
      const { value } = this.inputs.get(name);
      if (place === "path") path = path.replace(`{${name}}`, encodeURIComponent(value));
      else if (value !== "") query.set(name, value);
    }
    const target = path.slice(1) + (query.size ? `?${query}` : "");
    const audio = Object.keys(this.operation.responses["200"]?.content ?? {}).some((type) => type.startsWith("audio/"));
    const json = this.media && !this.isForm ? JSON.parse(this.inputs.get(t("docs.bodyfield")).value) : undefined;
    const form = this.isForm ? this.filled() : undefined;
    const fields = json ?? Object.fromEntries(form ?? []);
    return {
      method: this.method, target, url: new URL(target, document.baseURI).href, json, form,
      secured: this.world.secured && this.operation.security?.length !== 0,
      audio: audio && fields.stream_format !== "sse", format: fields.response_format ?? "mp3",
    };
  }

  async send() {
    this.output.replaceChildren(make("p", { className: "faint", textContent: t("docs.waiting") }));
    this.controller = new AbortController();
    this.cancel.hidden = false;
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
      this.output.replaceChildren(head, make("audio", { controls: true, src: url, "aria-label": t("docs.audio") }),
        make("a", { href: url, download: `speech.${this.request().format}`, textContent: t("docs.download") }));
      return;
    }
    const text = await answer.text();
    const pretty = type.includes("json") && text ? JSON.stringify(JSON.parse(text), null, 2) : text;
    this.output.replaceChildren(head, make("pre", { className: "code", tabIndex: 0, textContent: pretty }));
  }
}

