"""Cycle model, explanations, traces and benchmarks of programs."""
