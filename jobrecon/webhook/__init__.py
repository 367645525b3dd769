"""The receiver: what LinkedIn posts is verified, parsed, made durable, and only then acknowledged."""
