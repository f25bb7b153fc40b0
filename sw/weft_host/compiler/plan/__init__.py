"""Third compiler stage: divide each operation into blocks that fit the on-chip memories."""
