"""Tiexin: the assistant of a Party organisation, in the chats its members already use."""
