"""Roots and quotients of the fixed-point instructions against plain Python."""

import random
from fractions import Fraction
from math import floor

from support.language_models import plain_integers as plain
from support.seeds import seed
from weft_host.numerics import quotients


def test_quotients_equal_the_laws():
    rng = random.Random(seed(72))
    numbers = [0, 1, 2, 3, 32767, 32768, (1 << 31) - 1, 1 << 31,
               *(rng.getrandbits(rng.randint(1, 31)) for _ in range(500))]
    for number in numbers:
        scale, (factor, shift) = quotients.scale(number)
        assert (scale, factor) == plain.reciprocal_of_largest(number) and shift == 39
        if number:
            assert quotients.sum_quotient(number) == plain.reciprocal_of_sum(number)
        for count in (1, 2, 3, 577):
            for signed in (number, -number):
                assert quotients.mean(signed, count) == floor(
                    Fraction(signed, count) + Fraction(1, 2))
    assert quotients.sum_quotient(0) == quotients.sum_quotient(-5) == (0, 0)
    assert quotients.scale(-1) == (0, (0, 39))


def test_exponents_leave_16_bits():
    rng = random.Random(seed(73))
    for number in [0, 1, 32639, 32640, 32767, 32768, 65279, 65280, (1 << 62) - 1,
                   *(rng.getrandbits(rng.randint(1, 62)) for _ in range(500))]:
        exponent = quotients.exponent(number)
        assert exponent == plain.product_exponent([number])
        assert plain.rounded(number, exponent) <= 32639


def test_reciprocal_roots_normalise_vectors():
    rng = random.Random(seed(74))
    for bits in range(1, 95):
        x = [rng.getrandbits(min(bits, 31)) - (1 << min(bits, 31) >> 1) for _ in range(3)]
        eps = rng.getrandbits(max(1, bits))
        square = sum(value * value for value in x) + eps
        factor, shift = quotients.reciprocal_root(square)
        assert [plain.limit16(plain.rounded(value * factor, shift)) for value in x] == plain.norm(
            x, eps)
    assert quotients.reciprocal_root(0) == (0, 0)
