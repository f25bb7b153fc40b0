"""Emission of a program from a stream of instructions."""

import copy

from weft.spec.presets import preset
from weft_host import Tensor
from weft_host.compiler.emit import emit
from weft_host.compiler.plan.tensor_layout import TensorLayout
from weft_host.compiler.steps.instruction_stream import HostSection, InstructionStream
from weft_host.program import disasm


def example():
    """Return a stream that copies constants to a tensor, the constants, and the layout."""
    stream = InstructionStream(preset("tiny"))
    stream.layer = 3
    stream.load(HostSection.CONSTANTS, 8, 0, 16)
    stream.store(64, 0, 16)
    layout = TensorLayout(size=128, offsets={0: 64}, inputs=(),
                          outputs=(Tensor(name="y", shape=(16,), offset=64),))
    return stream, bytes(24), layout


def test_host_addresses_are_relative_to_their_sections():
    stream, constants, layout = example()
    program = emit(stream, constants, layout)
    (constants_start, image), = program.image
    tensors = program.windows[1]
    addresses = {entry["name"]: entry["fields"]["host_addr"] for entry in disasm.listing(program)}
    assert image == constants and constants_start == 4096 and tensors.offset == 8192
    assert addresses == {"LOAD": 4096 + 8, "STORE": 8192 + 64}
    assert program.outputs[0].offset == 8192 + 64
    assert program.memory_bytes == 8192 + 128


def test_the_arguments_are_not_changed():
    stream, constants, layout = example()
    layers = [{"name": "copy", "index": 3}]
    before = copy.deepcopy(layers), copy.deepcopy(stream.instructions), copy.deepcopy(layout)
    program = emit(stream, constants, layout, source="test", macs=7, layers=layers)
    assert (layers, stream.instructions, layout) == before
    assert program.meta == {"source": "test", "macs": 7, "all_tensors": False,
                            "instruction_layers": [3, 3],
                            "layers": [{"name": "copy", "index": 3, "instructions": 2}]}
