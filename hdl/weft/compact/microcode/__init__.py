"""Microprogram of the serial engine, one module per group of instructions or subroutines."""
