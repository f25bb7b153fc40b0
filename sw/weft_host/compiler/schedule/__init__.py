"""Fifth compiler stage: instructions of all units are ordered and receive tokens."""
