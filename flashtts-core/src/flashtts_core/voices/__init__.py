"""Voices: where they come from and where they are kept.

``VoiceLibrary`` answers by name for the built-in voices of the engine, the roles of a read-only folder and the voices
that callers added; ``FolderStore`` keeps the last on disk.
"""

from __future__ import annotations

from flashtts_core.voices.folder import FolderStore
from flashtts_core.voices.library import VoiceLibrary
from flashtts_core.voices.stored import StoredVoice

__all__ = ["FolderStore", "StoredVoice", "VoiceLibrary"]
