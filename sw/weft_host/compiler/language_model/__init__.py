"""Compiler of language models: integer parameters, memory layout, and the program of a step."""
