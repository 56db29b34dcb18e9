"""The speech server: the other end of the context protocol."""
