"""Timed and quality comparisons, kept out of the tests: `python -m benchmarks.NAME`."""
