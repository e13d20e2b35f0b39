"""The channels: one module each, and none knows another."""
