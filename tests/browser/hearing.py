"""What a page lets the listener hear: every piece of sound that it hands to the browser, and whether it comes out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page

LISTEN = """
window.heard = [];
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (when, ...rest) {
  const samples = Array.from(this.buffer.getChannelData(0), (value) => Math.round(value * 32768));
  window.heard.push({ when, now: this.context.currentTime, rate: this.buffer.sampleRate, samples });
  window.analyser ??= new WeakMap();
  if (!window.analyser.has(this.context)) {
    const analyser = this.context.createAnalyser();
    window.analyser.set(this.context, analyser);
    window.latest = analyser;
  }
  this.connect(window.analyser.get(this.context));
  return start.call(this, when, ...rest);
};
"""
"""Runs before the page's own scripts: notes what is scheduled to be heard, and taps the sound on its way out."""

SOUNDS = """(seconds) => new Promise((resolve, reject) => {
  const deadline = performance.now() + 1000 * seconds;
  const look = () => {
    if (window.latest) {
      const samples = new Float32Array(window.latest.fftSize);
      window.latest.getFloatTimeDomainData(samples);
      if (samples.some((value) => Math.abs(value) > 0.05)) return resolve(true);
    }
    if (performance.now() > deadline) return reject(new Error('nothing was to be heard'));
    return requestAnimationFrame(look);
  };
  look();
})"""


@dataclass(frozen=True)
class Heard:
    """Sound that was scheduled: 16-bit samples in one stretch, and the frames by which its pieces miss each other.

    Where the sound had run dry before the next piece was there, as on a machine that is too slow, no frames are missed.
    """

    samples: NDArray[np.int32]
    rate: int
    gaps: list[int]


def heard(page: Page) -> Heard:
    """Return what the page has scheduled so far; forget it."""
    pieces = page.evaluate("() => window.heard.splice(0)")
    assert pieces, "the page has scheduled nothing to be heard"
    rate = int(pieces[0]["rate"])
    starts = [round(piece["when"] * rate) for piece in pieces]
    ends = [begin + len(piece["samples"]) for begin, piece in zip(starts, pieces, strict=True)]
    gaps = [
        begin - end
        for begin, end, piece in zip(starts[1:], ends, pieces[1:], strict=False)
        if end / rate > piece["now"]
    ]
    samples = np.concatenate([np.array(piece["samples"], np.int32) for piece in pieces])
    return Heard(samples, rate, gaps)


def wait_until_it_sounds(page: Page, seconds: float = 30) -> None:
    """Wait until the sound that leaves the page is not silent."""
    assert page.evaluate(SOUNDS, seconds)
