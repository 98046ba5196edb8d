// Writes requests as commands of curl and as Python, and sessions as Python and JavaScript, as one would type them.

const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
/** Return a Python literal of a JSON value, on one line. */
function literal(value) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  return `{${Object.entries(value).map(([name, field]) => `${JSON.stringify(name)}: ${literal(field)}`).join(", ")}}`;
}

/** Return a Python literal of an object, one field a line. */
function fields(value) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return literal(value);
  return `{\n${Object.entries(value).map(([name, field]) => `    ${JSON.stringify(name)}: ${literal(field)},\n`).join("")}}`;
}

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
  if (json !== undefined) given.push(`    json=${fields(json).replaceAll("\n", "\n    ")},`);
  if (plain.length) given.push(`    data=${fields(Object.fromEntries(plain)).replaceAll("\n", "\n    ")},`);
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

const listed = (messages, write) => `[\n${messages.map((each) => `    ${write(each)},\n`).join("")}]`;

/** Return the session as a Python program that uses websockets. */
export function asPythonSession({ url, secured, messages, format }) {
  const headers = "headers = {\"Authorization\": f\"Bearer {os.environ['FLASHTTS_API_KEY']}\"}\n";
  return `import json
${secured ? "import os\n" : ""}
from websockets.sync.client import connect

messages = ${listed(messages, literal)}
${secured ? headers : ""}with connect("${url}"${secured ? ", additional_headers=headers" : ""}) as socket, open("speech.${format}", "wb") as file:
    for message in messages:
        socket.send(json.dumps(message))
    for frame in socket:
        if isinstance(frame, bytes):
            file.write(frame)
            continue
        print(frame)
        if json.loads(frame)["type"] in {"session.done", "error"}:
            break`;
}

/** Return the session as JavaScript for a page. */
export function asPageSession({ url, secured, messages }) {
  const key = 'btoa(API_KEY).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")';
  return `const messages = ${listed(messages, JSON.stringify)};
const socket = new WebSocket("${url}"${secured ? `, ["flashtts", "flashtts-key." + ${key}]` : ""});
socket.binaryType = "arraybuffer";
socket.onopen = () => messages.forEach((message) => socket.send(JSON.stringify(message)));
socket.onmessage = ({ data }) => console.log(typeof data === "string" ? data : \`\${data.byteLength} bytes of audio\`);`;
}
