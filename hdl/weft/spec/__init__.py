"""Instruction set, register map, link frames and configurations, as data without Amaranth."""
