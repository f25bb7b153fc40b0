"""Third compiler stage: operations are tiled and buffers are allocated."""
