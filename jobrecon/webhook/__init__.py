"""The receiver: what LinkedIn posts is verified, understood, made durable, and only then acknowledged."""
