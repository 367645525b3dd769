"""Which jobs posted to LinkedIn are stuck, failed or unlisted, who has to act, and how."""

__version__ = "0.1.0"
