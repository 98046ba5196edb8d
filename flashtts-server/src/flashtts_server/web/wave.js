// Draws the waveform of a sound and how much of it was heard.

const BAR = 3;
const GAP = 2;

/** Draw levels (0 to 1, one a hundredth of a second) over `seconds`; `from` to `to` seconds are in the accent's colour. */
export function drawWave(canvas, levels, { seconds, from = 0, to = 0 }) {
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (!width || !height) return;
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  const brush = canvas.getContext("2d");
  brush.setTransform(ratio, 0, 0, ratio, 0, 0);
  brush.clearRect(0, 0, width, height);
  const style = getComputedStyle(canvas);
  const { color: accent, caretColor: rest } = style;
  const bars = Math.floor((width + GAP) / (BAR + GAP));
  const loudest = Math.max(0.05, levels.reduce((most, level) => Math.max(most, level), 0));
  for (let bar = 0; bar < bars; bar += 1) {
    const [first, end] = [bar, bar + 1].map((edge) => Math.floor((edge / bars) * seconds * 100));
    let level = 0;
    for (let i = first; i < Math.max(end, first + 1) && i < levels.length; i += 1) level = Math.max(level, levels[i]);
    const middle = ((bar + 0.5) / bars) * seconds;
    const tall = Math.max(2, (level / loudest) * height);
    brush.fillStyle = middle >= from && middle < to ? accent : rest;
    brush.beginPath();
    brush.roundRect(bar * (BAR + GAP), (height - tall) / 2, BAR, tall, BAR / 2);
    brush.fill();
  }
}
