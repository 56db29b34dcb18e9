"""The agent's own echo, and noise, taken out of the caller's line by WebRTC's audio processing module."""

from ._cleaner import Echo as Echo, EchoAndNoise as EchoAndNoise, Noise as Noise

__all__ = ["Echo", "EchoAndNoise", "Noise"]
