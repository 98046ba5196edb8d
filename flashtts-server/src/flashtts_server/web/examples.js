// What the operations are tried with, so that sending all examples from top to bottom finds each voice in its place.

/** Fields that take the place of the description's examples. */
const FIELDS = {
  "get /v1/models/{name}": { name: "tts-1" },
  "post /delete_speaker": { name: "anna-calm" }, // so the example before it has renamed anna
  "delete /v1/audio/voices/{voice_id}": { voice_id: "anna" }, // whom another example adds; nobody's own voice
};

/** Paths that come in this order. */
const ORDER = ["/rename_speaker", "/delete_speaker"];

/** Compare operations for the page: short paths first. */
export function inOrder({ path: one }, { path: other }) {
  if (ORDER.includes(one) && ORDER.includes(other)) return ORDER.indexOf(one) - ORDER.indexOf(other);
  return one.length - other.length || one.localeCompare(other);
}

/** Return the fields of an example, with role names of this server. */
export function exampleOf(method, path, given, roles) {
  const [first = "female", second = first] = roles;
  const text = JSON.stringify(given).replaceAll("role:female", `role:${first}`).replaceAll("role:male", `role:${second}`);
  return { ...JSON.parse(text), ...FIELDS[`${method} ${path}`] };
}
