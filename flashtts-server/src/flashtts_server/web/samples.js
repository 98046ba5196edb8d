// Writes a request as a command of curl and as Python, as it would be typed by hand.

const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
const python = (value) => JSON.stringify(value).replace(/\btrue\b/g, "True").replace(/\bfalse\b/g, "False").replace(/\bnull\b/g, "None");

/** Return a Python literal of a JSON value, one field a line. */
function literal(value) {
  if (typeof value !== "object" || value === null) return python(value);
  const fields = Object.entries(value).map(([name, field]) => `    ${JSON.stringify(name)}: ${scalar(field)},`);
  return `{\n${fields.join("\n")}\n}`;
}

const scalar = (value) => (typeof value === "string" || typeof value === "object" ? JSON.stringify(value) : python(value));

/** Where an answer goes that is no text. */
const fileOf = (request) => (request.audio ? `speech.${request.format}` : null);

/** Return the request as a command line. */
export function asCurl(request) {
  const { method, url, secured, json, form } = request;
  const lines = [`curl${method === "GET" ? "" : ` -X ${method}`} ${quoted(url)}`];
  if (secured) lines.push(`-H "Authorization: Bearer $FLASHTTS_API_KEY"`);
  if (json !== undefined) lines.push("-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(json))}`);
  for (const [name, value] of form ?? []) lines.push(`-F ${quoted(`${name}=${value instanceof File ? `@${value.name}` : value}`)}`);
  if (fileOf(request)) lines.push(`-o ${fileOf(request)}`);
  return lines.join(" \\\n  ");
}

/** Return the request as a Python program that uses httpx. */
export function asPython(request) {
  const { method, url, secured, json, form } = request;
  const plain = (form ?? []).filter(([, value]) => !(value instanceof File));
  const files = (form ?? []).filter(([, value]) => value instanceof File);
  const given = [`    ${JSON.stringify(url)},`];
  if (secured) given.push(`    headers={"Authorization": f"Bearer {os.environ['FLASHTTS_API_KEY']}"},`);
  if (json !== undefined) given.push(`    json=${literal(json).replaceAll("\n", "\n    ")},`);
  if (plain.length) given.push(`    data=${literal(Object.fromEntries(plain)).replaceAll("\n", "\n    ")},`);
  if (files.length) {
    const opened = files.map(([name, file]) => `${JSON.stringify(name)}: open(${JSON.stringify(file.name)}, "rb")`);
    given.push(`    files={${opened.join(", ")}},`);
  }
  given.push("    timeout=600,");
  const end = fileOf(request)
    ? `with open("${fileOf(request)}", "wb") as file:\n    file.write(answer.content)`
    : "print(answer.text)";
  return [
    secured ? "import os\n\nimport httpx\n" : "import httpx\n",
    `answer = httpx.${method.toLowerCase()}(\n${given.join("\n")}\n)`,
    "answer.raise_for_status()",
    end,
  ].join("\n");
}
