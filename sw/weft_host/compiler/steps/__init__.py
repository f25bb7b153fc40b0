"""Fourth compiler stage: planned operations emit instructions."""
