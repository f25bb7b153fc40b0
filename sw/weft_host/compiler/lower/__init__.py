"""Second compiler stage: operators of the graph become Weft operations."""
