"""Proof of coverage and of silence: certificates signed by box and centre."""
