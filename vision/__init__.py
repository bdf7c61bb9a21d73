"""Pixels in, verdicts out: no I/O, no loop, no clock."""
