"""What Tiexin promises, told as sentences about people."""
