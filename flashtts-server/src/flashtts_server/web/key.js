// Requests to the server, with the API key if it asks for one. The key is kept for this tab only.

const STORED = "flashtts-key";

function askForKey() {
  const dialog = document.getElementById("key-dialog");
  const field = document.getElementById("key");
  field.value = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "ok" ? field.value : null), { once: true });
  });
}

/** Fetch, asking for the key as often as the server refuses it; throws an Error whose message is a sentence. */
export async function request(path, options = {}) {
  for (;;) {
    const headers = new Headers(options.headers);
    const key = sessionStorage.getItem(STORED);
    if (key) headers.set("Authorization", `Bearer ${key}`);
    let answer;
    try {
      answer = await fetch(path, { ...options, headers });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Error("The server cannot be reached. Is it still running?");
    }
    if (answer.status !== 401) return answer;
    const given = await askForKey();
    if (given === null) throw new Error("This server asks for an API key.");
    sessionStorage.setItem(STORED, given);
  }
}

/** Return the sentence of an error answer. */
export async function sentence(answer) {
  try {
    return (await answer.json()).error.message;
  } catch {
    return `The server answered ${answer.status}.`;
  }
}
