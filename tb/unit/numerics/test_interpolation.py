"""Tables of the fixed-point instructions against plain Python."""

import numpy as np
import pytest

from support.language_models import plain_integers as plain
from support.seeds import seed
from weft_host.numerics.interpolation import exponential, gelu_gate, sigmoid


@pytest.mark.parametrize("function, plainly, lowest", [
    (exponential, plain.exponential, 0), (sigmoid, plain.sigmoid, -18),
    (gelu_gate, plain.gelu_gate, -18)])
@pytest.mark.parametrize("fraction", range(4, 25))
def test_functions_equal_the_law(function, plainly, lowest, fraction):
    rng = np.random.default_rng(seed(71))
    x = np.floor(rng.uniform(lowest, 18, 300) * 2.0**fraction).astype(np.int64)
    x[:6] = 0, 1, 16 << fraction, (16 << fraction) - 1, (1 << 31) - 1, 1 << 31
    assert function(x, fraction).tolist() == [plainly(value, fraction) for value in x.tolist()]
    if lowest:
        assert function(-x, fraction).tolist() == [plainly(-value, fraction)
                                                   for value in x.tolist()]
