"""Program of a language model for a device."""

from typing import Any

from weft.spec import isa
from weft.spec.config import Config
from weft.spec.integers import round_up

from ...program import validate
from ...program.file import Program
from ...program.tensor import Tensor, Window
from ...progress import Progress, silent
from ..frontend.llm.model_file import LanguageModelFile
from ..verdict import CapacityError
from .builder import HostArea
from .parts import Part
from .sizes import ModelSizes
from .step import build_step
from .step_values import StepRegisters

__all__ = ["compile_language_model", "require_memory"]

_ALIGN = 4096


def compile_language_model(model: LanguageModelFile, config: Config, context: int, *,
                           progress: Progress = silent) -> tuple[Program, StepRegisters]:
    """Return the program of a step of a language model, and what its step registers contain.

    The output ``logits`` has a number for each text token, with as many fraction bits as
    ``meta["logit_fraction"]``.

    Parameters
    ----------
    model : :class:`LanguageModelFile`
    config : :class:`weft.spec.config.Config`
        Configuration with ``fixed_point``.
    context : :class:`int`
        Largest number of positions.
    progress : callable
        Receives a sentence for each stage of the work.

    Raises
    ------
    ModelError, CapacityError
        If the model is beyond the numerics, or beyond the memories of the configuration.
    """
    if not config.fixed_point:
        raise CapacityError(f"{config.name} has no fixed-point instructions, which language "
                            "models need; use --set fixed_point=true")
    sizes = ModelSizes.of(model)
    if context <= sizes.context:        # else the next line reports it
        require_memory(sizes, context, 1 << config.addr_width,
                       f"the {config.addr_width} address bits of {config.name} reach only")
    step = build_step(model, config, context, progress)
    size = isa.INSTRUCTION_BYTES * len(step.builder.instructions)
    base = {HostArea.CONSTANTS: round_up(size, _ALIGN)}
    base[HostArea.CACHE] = base[HostArea.CONSTANTS] + round_up(len(step.constants), _ALIGN)
    total = base[HostArea.CACHE] + step.cache_bytes + step.logits_bytes
    if total > 1 << config.addr_width:
        raise CapacityError(f"the program needs {total} bytes of host memory, but the "
                            f"{config.addr_width} address bits of {config.name} reach only "
                            f"{1 << config.addr_width}")
    progress(f"compiling: ordering {len(step.builder.instructions):,} instructions")
    instructions, layers, parts = step.builder.encoded(base)
    vocabulary = sizes.vocabulary
    program = Program(
        config=config, instructions=instructions, memory_bytes=total,
        image=((base[HostArea.CONSTANTS], step.constants),),
        outputs=(Tensor(name="logits", dtype="int32", shape=(vocabulary,),
                        offset=base[HostArea.CACHE] + step.cache_bytes),),
        windows=(Window(0, base[HostArea.CACHE]),
                 Window(base[HostArea.CACHE], step.cache_bytes + step.logits_bytes, read=True,
                        write=True)),
        meta={"source": model.source, "macs": sizes.macs(context), "all_tensors": False,
              "layers": _layers(sizes, context), "instruction_layers": layers,
              "parts": [list(part.value) for part in Part],
              "instruction_parts": [list(Part).index(part) for part in parts],
              "logit_fraction": step.logit_fraction, "context": context})
    for position in {0, context - 1}:
        violations = validate.check_program(
            program, steps=step.registers.values(vocabulary - 1, position))
        if violations:
            index, violation = violations[0]
            raise AssertionError(f"the compiler emitted an illegal program: instruction {index}, "
                                 f"{violation.reason}")
    return program, step.registers


def require_memory(sizes: ModelSizes, context: int, available: int, limit: str) -> None:
    """Check that host memory can hold a model, before its weights are read.

    Parameters
    ----------
    sizes : :class:`ModelSizes`
    context : :class:`int`
        Largest number of positions.
    available : :class:`int`
        Bytes of host memory.
    limit : :class:`str`
        What has these bytes, as the beginning of a clause that ends with their number.

    Raises
    ------
    CapacityError
        If weights, embedding and cache alone exceed the memory.
    """
    least = sizes.least_memory(context)
    if least > available:
        raise CapacityError(f"weights, embedding and cache of the model need at least {least} "
                            f"bytes of host memory, but {limit} {available}")


def _layers(sizes: ModelSizes, context: int) -> list[dict[str, Any]]:
    """Return names and multiplications of the layers, for reports."""
    attention = (sizes.macs(context) - sizes.weights) // sizes.layers
    return [{"index": -1, "name": "embedding", "what": "embedding", "macs": 0},
            *({"index": index, "name": f"layer {index}", "what": "attention and feed-forward",
               "macs": sizes.layer_weights + attention} for index in range(sizes.layers)),
            {"index": sizes.layers, "name": "head", "what": "norm and head",
             "macs": sizes.head_weights}]
