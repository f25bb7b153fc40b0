"""Fourth compiler stage: plan all steps, share the scratchpad among them, emit instructions."""
