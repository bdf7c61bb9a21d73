"""Tests of what is written: machine code of an older source is put away before any is loaded."""

from tests.outdated import discard_outdated

discard_outdated()
