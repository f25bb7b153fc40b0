"""The serial engine: the complete instruction set, microprogrammed, for the smallest FPGAs."""
