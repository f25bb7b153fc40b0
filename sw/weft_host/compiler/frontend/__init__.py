"""First compiler stage: read a model file into a graph."""
