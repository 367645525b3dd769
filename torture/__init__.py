"""What goes wrong on machines, done on purpose to the real commands: `make torture`. docs/reliability.md has the figures."""
