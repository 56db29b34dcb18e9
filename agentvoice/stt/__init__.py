"""Recognition over sockets: their messages, for both ends. No I/O here."""
