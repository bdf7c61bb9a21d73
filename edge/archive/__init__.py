"""Second copies of sealed segments: encrypted, sent, read back, told."""
