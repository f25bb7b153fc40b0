"""Host link: a serial line gives a host access to the board's memory and registers."""
