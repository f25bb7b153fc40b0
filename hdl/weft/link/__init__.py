"""Host link, which gives a host access to memory and registers over a serial line."""
