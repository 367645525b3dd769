"""Benchmarks: figures as ratios against a named baseline run beside them, never as timed tests."""
