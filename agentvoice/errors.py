"""What can go wrong, as one small tree.

It answers two questions: whose fault is it, and does it help to try again.

    AgentVoiceError
    ├── UsageError               the user asked for what cannot be had; the message names the way out
    │   ├── PluginNotFound       nothing of that name is installed
    │   └── AssetUnavailable     a model or voice could not be had
    ├── ProtocolError
    │   ├── LocalProtocolError   we used it wrongly: a bug here
    │   └── RemoteProtocolError  the peer did: end the call, keep the server
    ├── ToolError                a tool cannot do what the model asked; the model is told, in these words
    └── ProviderError            .provider, .reason, .context_id
        ├── ProviderUnavailable  may pass: try again, or fall back
        └── ProviderRejected     will not pass: key, voice, quota, format

Interruptions, hang-ups and full queues are events, not errors.
"""

from __future__ import annotations


class AgentVoiceError(Exception):
    """The root of every error that agentvoice raises on purpose."""


class UsageError(AgentVoiceError):
    """The user asked for something that cannot be had. The message says what to do instead."""


class PluginNotFound(UsageError):
    """No plugin of that kind and name is installed."""


class AssetUnavailable(UsageError):
    """A model or voice is not in the cache and could not be fetched, or its digest is wrong."""


class ProtocolError(AgentVoiceError):
    """A rule of a protocol was broken."""


class LocalProtocolError(ProtocolError):
    """This side broke the rule: a bug in the code that called us."""


class RemoteProtocolError(ProtocolError):
    """The peer broke the rule. The connection may have to end; the process does not."""


class ToolError(AgentVoiceError):
    """A tool cannot do what it was asked for. Raise it in a tool: the model is told so, and the call goes on."""


class ProviderError(AgentVoiceError):
    """A provider of speech, recognition or language failed."""

    def __init__(self, provider: str, reason: str, *, context_id: str | None = None) -> None:
        super().__init__(f"{provider}: {reason}")
        self.provider = provider
        self.reason = reason
        self.context_id = context_id
        """The context that the error is about; `None` when it is about the whole connection."""


class ProviderUnavailable(ProviderError):
    """The provider cannot do it now. Trying again, or another provider, may help."""


class ProviderRejected(ProviderError):
    """The provider will not do it, however often it is asked: a wrong key, voice, format or quota."""
