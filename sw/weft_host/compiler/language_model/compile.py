"""Program of a language model for a device."""

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
from .step import build_step
from .step_values import StepRegisters

__all__ = ["compile_language_model"]

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
    instructions, layers = step.builder.encoded(base)
    vocabulary = model.architecture.vocabulary
    program = Program(
        config=config, instructions=instructions, memory_bytes=total,
        image=((base[HostArea.CONSTANTS], step.constants),),
        outputs=(Tensor(name="logits", dtype="int32", shape=(vocabulary,),
                        offset=base[HostArea.CACHE] + step.cache_bytes),),
        windows=(Window(0, base[HostArea.CACHE]),
                 Window(base[HostArea.CACHE], step.cache_bytes + step.logits_bytes, read=True,
                        write=True)),
        meta={"source": model.source, "macs": 0, "all_tensors": False, "layers": [],
              "instruction_layers": layers, "logit_fraction": step.logit_fraction,
              "context": context})
    for position in {0, context - 1}:
        violations = validate.check_program(
            program, steps=step.registers.values(vocabulary - 1, position))
        if violations:
            index, violation = violations[0]
            raise AssertionError(f"the compiler emitted an illegal program: instruction {index}, "
                                 f"{violation.reason}")
    return program, step.registers
