"""First compiler stage: a model file becomes a graph."""
