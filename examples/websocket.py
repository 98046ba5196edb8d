"""Speaks a text while it is written: sends it word by word, as a language model would, and saves what comes back.

``python examples/websocket.py "The text. It may be long." --url ws://localhost:8000 --out speech.wav [--key KEY]``
"""

from __future__ import annotations

import argparse
import asyncio
import json
import wave
from collections.abc import AsyncIterator

from websockets.asyncio.client import ClientConnection, connect

SAMPLE_RATE = 24_000


async def written(text: str) -> AsyncIterator[str]:
    """Yield a text as a language model writes it; put your model's stream here."""
    for word in text.split():
        yield word + " "
        await asyncio.sleep(0.02)


async def send(socket: ClientConnection, text: str) -> None:
    """Send the text as it comes, then say that it is complete."""
    async for piece in written(text):
        await socket.send(json.dumps({"type": "input.text", "text": piece}))
    await socket.send(json.dumps({"type": "input.done"}))


async def receive(socket: ClientConnection) -> bytes:
    """Return the sound of one utterance; a player would be given every piece at once."""
    sound = bytearray()
    async for frame in socket:
        if isinstance(frame, bytes):
            sound += frame
            continue
        event = json.loads(frame)
        match event["type"]:
            case "audio.start":
                print(f"{event['start']:7.2f} s  {event['sentence_text']}")
            case "error":
                print(f"Error: {event['error']['message']}")
            case "session.done":
                print(
                    f"{event['reason']}: {event['total_sentences']} sentences, {event['usage']['total_tokens']} tokens"
                )
                break
    return bytes(sound)


async def speak(text: str, url: str, key: str | None) -> bytes:
    """Open a session, speak one utterance, and return its sound: 16-bit mono."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with connect(f"{url}/v1/audio/speech/stream", additional_headers=headers) as socket:
        config = {"type": "session.config", "voice": "alloy", "response_format": "pcm", "sample_rate": SAMPLE_RATE}
        await socket.send(json.dumps(config))
        sending = asyncio.create_task(send(socket, text))
        sound = await receive(socket)
        await sending
        await socket.send(json.dumps({"type": "session.close"}))
    return sound


def main() -> None:
    """Speak the text of the command line into a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("text")
    parser.add_argument("--url", default="ws://localhost:8000")
    parser.add_argument("--out", default="speech.wav")
    parser.add_argument("--key", default=None)
    options = parser.parse_args()
    sound = asyncio.run(speak(options.text, options.url, options.key))
    with wave.open(options.out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(sound)


if __name__ == "__main__":
    main()
