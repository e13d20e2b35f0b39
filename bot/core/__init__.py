"""The conversation: knows no channel, no table, no organisation, no template engine."""
