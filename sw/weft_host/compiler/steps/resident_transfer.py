"""Instructions that fill the halo of a resident tensor, or store the tensor to host memory."""

from ..plan.resident_tensor import ResidentTensor
from .instruction_stream import InstructionStream

__all__ = ["fill_halo", "store_rectangle"]


def fill_halo(stream: InstructionStream, tensor: ResidentTensor) -> None:
    """Emit the fills of a resident tensor's halo, if a step reads it."""
    if tensor.contiguous or tensor.halo_unused:
        return
    first, row = tensor.pixel_address(0, 0), tensor.width * tensor.channels
    last = tensor.pixel_address(tensor.height - 1, tensor.width)
    end = tensor.address + tensor.size - tensor.overread
    stream.fill(tensor.address, first - tensor.address, tensor.halo)
    stream.fill(first + row, tensor.row_pitch - row, tensor.halo, tensor.height - 1,
                tensor.row_pitch)
    stream.fill(last, end - last, tensor.halo)


def store_rectangle(stream: InstructionStream, tensor: ResidentTensor, host: int, y0: int, y1: int,
                    x0: int, x1: int) -> None:
    """Emit the store of rows ``y0`` to ``y1``, columns ``x0`` to ``x1``, ends excluded.

    ``host`` is the address of the whole tensor in the section of tensors.
    """
    rows, size = y1 - y0, (x1 - x0) * tensor.channels
    pitch = tensor.width * tensor.channels
    local = tensor.pixel_address(y0, x0)
    host += y0 * pitch + x0 * tensor.channels
    if rows == 1 or size == pitch == tensor.row_pitch:
        rows, size = 1, rows * size
    stream.store(host, local, size, rows, pitch, tensor.row_pitch)
