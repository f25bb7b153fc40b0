"""Third compiler stage: divide each operation into pieces that fit the on-chip memories."""
