"""The VECTOR unit, which requantises accumulators, maps bytes through tables, computes softmax."""
