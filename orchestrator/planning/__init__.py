"""Sessions in, orders and windows out; pure."""
