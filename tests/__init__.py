"""Tests of what is written: machine code of an older source is put away before any is loaded."""

from edge import compiled

compiled.discard_outdated()
