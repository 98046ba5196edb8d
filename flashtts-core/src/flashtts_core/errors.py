"""Every error flashtts raises on purpose: its message is a sentence that may be shown to the caller.

Classes also derive from the matching builtin where one exists, so callers may catch either. ``code`` is the
stable, machine-readable name that the HTTP API sends; ``param`` names the request field at fault, if one is.
"""

from __future__ import annotations


class FlashTTSError(Exception):
    """Base of all errors that flashtts raises on purpose; the message says what to do."""

    code = "error"

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class RequestError(FlashTTSError, ValueError):
    """The request cannot be carried out as it stands; the caller can mend it."""

    code = "invalid_request"


class Unauthorized(RequestError):
    """The API key is missing or wrong."""

    code = "invalid_api_key"


class Forbidden(RequestError):
    """The request may not be made from where it comes."""

    code = "forbidden"


class UnknownVoice(RequestError, LookupError):
    """No voice of that name; the message lists the ones there are."""

    code = "unknown_voice"


class UnknownModel(RequestError, LookupError):
    """No model of that name is served here."""

    code = "unknown_model"


class VoiceExists(RequestError):
    """A voice of that name is already there and overwriting was not asked for."""

    code = "voice_exists"


class NotSupported(RequestError):
    """The engine or backend lacks an ability that the request needs."""

    code = "not_supported"


class BadAudio(RequestError):
    """The bytes given as audio cannot be decoded as audio."""

    code = "bad_audio"


class TooLarge(RequestError):
    """A body, upload or text is over its limit."""

    code = "too_large"


class ConfigError(FlashTTSError):
    """flashtts cannot start with these settings; ends the command line with exit code 2."""

    code = "bad_configuration"


class UnknownPlugin(ConfigError, LookupError):
    """No engine or backend of that name; ``__cause__`` says why, if the plugin is installed but broken."""

    code = "unknown_plugin"


class PluginConflict(ConfigError):
    """Two plugins claim one name, or two engines claim one checkpoint."""

    code = "plugin_conflict"


class BadCheckpoint(ConfigError):
    """A model folder lacks files or tensors, or has ones that do not belong; the message names them."""

    code = "bad_checkpoint"


class Overloaded(FlashTTSError):
    """The queue is full; try again in ``retry_after`` seconds."""

    code = "overloaded"

    def __init__(self, message: str, *, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class VoiceStoreError(FlashTTSError):
    """The folder of voices cannot be written or read, or a voice in it is damaged."""

    code = "voice_store_failed"


class EngineError(FlashTTSError, RuntimeError):
    """Making the speech failed, and it is not the caller's fault."""

    code = "engine_error"


class EmptySpeech(EngineError):
    """The model gave no audio for text that can be spoken."""

    code = "empty_speech"


class BackendDied(EngineError):
    """The language-model runtime is gone for good; the process has to be restarted."""

    code = "backend_died"


class NotReady(EngineError):
    """The server is starting, or draining before it stops."""

    code = "not_ready"


class RequestTimeout(EngineError, TimeoutError):
    """The request took longer than the server allows."""

    code = "request_timeout"
