"""The context protocol: messages, lifecycle, and the connection."""
