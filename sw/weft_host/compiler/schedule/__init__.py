"""Fifth compiler stage: order the instructions of all units, and synchronise them by tokens."""
