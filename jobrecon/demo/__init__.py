"""The demo: two days of a fake LinkedIn on this machine."""
