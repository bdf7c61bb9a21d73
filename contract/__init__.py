"""What centre and box agree on: messages, topics, keys, tickets, bus, clock, retry."""
