"""The host link: a serial line instead of a processor on the board."""
