"""Second compiler stage: lower the operators of a graph to operations that Weft executes."""
