// Reads and writes the headers of wav files.

const HEADER = 44;
const word = (view, at, text) => [...text].forEach((char, i) => view.setUint8(at + i, char.charCodeAt(0)));

/** Return the header that makes `bytes` bytes of 16-bit mono samples a wav file. */
export function wavHeader(bytes, rate) {
  const view = new DataView(new ArrayBuffer(HEADER));
  word(view, 0, "RIFF");
  view.setUint32(4, HEADER - 8 + bytes, true);
  word(view, 8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  word(view, 36, "data");
  view.setUint32(40, bytes, true);
  return view.buffer;
}

/** Return where the samples begin in the first bytes of a wav file, or null if that is not yet to be seen. */
export function samplesAt(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 12; at + 8 <= bytes.length; at += 8 + view.getUint32(at + 4, true)) {
    if (String.fromCharCode(...bytes.subarray(at, at + 4)) === "data") return at + 8;
  }
  return null;
}

/** Return a streamed wav file, whose sizes were open, with its true sizes. */
export function closedWav(pieces, rate) {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  const samples = bytes.subarray(samplesAt(bytes) ?? bytes.length);
  const even = samples.subarray(0, samples.length & ~1);
  return new Blob([wavHeader(even.length, rate), even], { type: "audio/wav" });
}

/** Return samples between -1 and 1 as a wav file. */
export function wavOf(samples, rate) {
  const levels = Int16Array.from(samples, (value) => Math.max(-1, Math.min(1, value)) * 32767);
  return new Blob([wavHeader(2 * levels.length, rate), levels], { type: "audio/wav" });
}
