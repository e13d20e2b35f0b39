"""The door of the administrator: one file per noun, thin."""
