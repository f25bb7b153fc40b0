"""The serial engine: the whole instruction set under a microprogram, for the smallest FPGAs."""
