"""Drawn exam rooms: no loop, no clock, no network."""
