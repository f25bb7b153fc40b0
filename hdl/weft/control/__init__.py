"""Sequencer, registers, and the instruction and register tables they are generated from."""
