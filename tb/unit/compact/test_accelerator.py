"""Top level of the serial engine: rejected configurations."""

import pytest

from weft.compact.accelerator import CompactAccelerator
from weft.spec.presets import preset


def test_rejects_a_configuration_for_the_other_engine():
    with pytest.raises(ValueError) as caught:
        CompactAccelerator(preset("tiny"))
    assert str(caught.value) == ("configuration 'tiny' does not set compact; use "
                                 "weft.accelerator.Accelerator")
