// Says in words what the OpenAPI description says in schemas.

import { make, worded } from "./dom.js";

/** A reader of one description. */
export class SchemaReader {
  constructor(description) {
    this.schemas = description.components.schemas;
  }

  /** Follow a reference. */
  resolved(schema) {
    return schema?.$ref ? this.schemas[schema.$ref.split("/").pop()] : schema ?? {};
  }

  /** Return the kinds of value that are possible, without null. */
  parts(schema) {
    const whole = this.resolved(schema);
    const parts = whole.anyOf ?? whole.oneOf;
    return parts ? parts.filter((part) => part.type !== "null").flatMap((part) => this.parts(part)) : [whole];
  }

  /** Return the fields of an object as `[name, schema, required]`, the required ones first. */
  fields(schema) {
    const object = this.resolved(schema);
    const required = new Set(object.required ?? []);
    return Object.entries(object.properties ?? {})
      .map(([name, field]) => [name, field, required.has(name)])
      .sort(([, , one], [, , other]) => other - one);
  }

  isFile(schema) { return this.parts(schema).some((part) => part.format === "binary"); }

  /** Return the only values that are possible, or null. */
  choices(schema) {
    const parts = this.parts(schema);
    return parts.length === 1 ? parts[0].enum ?? null : null;
  }

  /** Say in a few words what a value may be. */
  kind(schema) {
    return this.parts(schema).map((part) => this.kindOfPart(part)).join(" or ");
  }

  kindOfPart(part) {
    if (part.enum) return part.enum.join(" | ");
    if (part.format === "binary") return "file";
    if (part.type === "array") return `list of ${this.kind(part.items)}`;
    const limits = [
      ["minimum", "≥"], ["exclusiveMinimum", ">"], ["maximum", "≤"], ["maxLength", "length ≤"],
    ].filter(([name]) => part[name] !== undefined && Math.abs(part[name]) < 1e15);
    return [part.type ?? "", ...limits.map(([name, sign]) => `${sign} ${part[name]}`)].join(" ").trim();
  }

  /** Return the description of a value. */
  meaning(schema) {
    const own = schema.description ?? this.resolved(schema).description;
    return own ?? this.parts(schema).map((part) => part.description).find(Boolean) ?? "";
  }

  /** Return a table of the fields of an object, those of objects inside it below them; `caption` says what they are. */
  table(schema, caption) {
    const rows = this.rows(schema, "");
    return make("table", {}, make("caption", { className: "unseen" }, caption),
      make("thead", {}, make("tr", {}, ...["docs.field", "docs.type", "docs.meaning"].map((key) => worded("th", key, { scope: "col" })))),
      make("tbody", {}, ...rows));
  }

  rows(schema, prefix) {
    return this.fields(schema).flatMap(([name, field, required]) => {
      const inner = this.parts(field).map((part) => (part.type === "array" ? this.resolved(part.items) : part));
      const nested = inner.find((part) => part.properties);
      const dots = this.parts(field).some((part) => part.type === "array") ? "[]." : ".";
      return [this.row(prefix + name, field, required), ...(nested ? this.rows(nested, prefix + name + dots) : [])];
    });
  }

  row(name, field, required) {
    const preset = field.default === undefined || field.default === null ? null
      : worded("span", "docs.preset", { values: { value: field.default }, className: "faint preset" });
    return make("tr", {},
      make("th", { scope: "row" }, make("code", { textContent: name }),
        required ? worded("span", "docs.required", { className: "required" }) : null),
      make("td", { className: "kind", textContent: this.kind(field) }),
      make("td", {}, this.meaning(field), " ", preset));
  }
}
