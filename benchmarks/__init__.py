"""One question per file, peers measured in the same run."""
