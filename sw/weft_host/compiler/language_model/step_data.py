"""Data of a language model that running its program needs, as an attachment of the program."""

import dataclasses
import json

from weft.spec.step_instructions import STEP_REGISTERS

from ...errors import ProgramError, WeftError
from ...program.file import LANGUAGE_MODEL, Program
from ..frontend.llm.bounded_json import Object, parse_json
from ..frontend.llm.model_file import LanguageModelFile
from ..frontend.llm.vocabulary import Vocabulary
from .sizes import LARGEST, ModelSizes
from .step_values import StepRegisters
from .stored_vocabulary import stored_vocabulary, vocabulary_of

__all__ = ["StepData"]

_VERSION = 1
_MOST_FRACTION = 16


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class StepData:
    """Data beside the program of a step.

    Attributes
    ----------
    sizes : :class:`ModelSizes`
    registers : :class:`StepRegisters`
        Contents of the step registers for a text token and a position.
    logit_fraction : :class:`int`
        Fraction bits of the logits.
    vocabulary : :class:`Vocabulary` or :class:`None`
        ``None`` if the model has none.
    """

    sizes: ModelSizes
    registers: StepRegisters
    logit_fraction: int
    vocabulary: Vocabulary | None

    @property
    def context(self) -> int:
        """Largest number of positions."""
        return self.registers.shape.context

    @classmethod
    def of_compiled(cls, model: LanguageModelFile, program: Program,
                    registers: StepRegisters) -> "StepData":
        """Return the data of a model that was compiled to ``program``."""
        return cls(sizes=ModelSizes.of(model), registers=registers,
                   logit_fraction=int(program.meta["logit_fraction"]),
                   vocabulary=model.vocabulary)

    def attached_to(self, program: Program) -> Program:
        """Return the program with this data."""
        plain = {"version": _VERSION, "sizes": dataclasses.asdict(self.sizes),
                 "registers": self.registers.as_dict(), "logit_fraction": self.logit_fraction,
                 "vocabulary": None if self.vocabulary is None else
                 stored_vocabulary(self.vocabulary)}
        text = json.dumps(plain, separators=(",", ":"))
        return dataclasses.replace(program, attachments={LANGUAGE_MODEL: text.encode()})

    @classmethod
    def of_program(cls, program: Program, source: str) -> "StepData":
        """Return the data that is attached to a program.

        Parameters
        ----------
        program : :class:`weft_host.Program`
        source : :class:`str`
            Path of the program, for messages.

        Raises
        ------
        ProgramError
            If the program has no such data, or data that contradicts itself or the program.
        """
        if not program.is_language_model:
            raise ProgramError(f"{source} is not the program of a language model; weft run runs it")
        try:
            text = program.attachments[LANGUAGE_MODEL].decode()
            return cls._parsed(program, parse_json(text, source))
        except UnicodeDecodeError as error:
            raise ProgramError(f"{source} is damaged: byte {error.start} of the language model's "
                               "data is not UTF-8; compile the model again") from None
        except ProgramError:
            raise
        except WeftError as error:
            raise ProgramError(str(error).replace("obtain the file again",
                                                  "compile the model again")) from None

    @classmethod
    def _parsed(cls, program: Program, stored: Object) -> "StepData":
        version = stored.integer("version", 0, LARGEST)
        if version != _VERSION:
            raise ProgramError(f"{stored.source} has data of a language model of version "
                               f"{version}; this release reads {_VERSION}; compile the model again")
        plain = stored.member("sizes")
        sizes = ModelSizes(**{field.name: plain.integer(
            field.name, 0 if field.name == "coded_weights" else 1, LARGEST)
            for field in dataclasses.fields(ModelSizes)})
        found = cls(
            sizes=sizes, logit_fraction=stored.integer("logit_fraction", 0, _MOST_FRACTION),
            registers=StepRegisters.from_object(program.config, stored.member("registers")),
            vocabulary=vocabulary_of(stored.member("vocabulary"), sizes.vocabulary)
            if "vocabulary" in stored else None)
        found._check(program, stored.source)
        return found

    def _check(self, program: Program, source: str) -> None:
        """Check that program and data belong together."""
        sizes, logits = self.sizes, [t for t in program.outputs if t.name == "logits"]
        last = self.registers.values(sizes.vocabulary - 1, self.context - 1)
        problem = ""
        if not (logits and logits[0].dtype == "int32" and logits[0].offset is not None
                and logits[0].shape == (sizes.vocabulary,)):
            problem = f"it has no output with {sizes.vocabulary} logits"
        elif len(program.windows) != 2 or not program.windows[1].write:
            problem = "it has no window for the cache"
        elif (self.context > sizes.context or self.context != program.meta.get("context")
              or self.registers.shape.head_size != sizes.head_size
              or sizes.coded_weights > sizes.weights):
            problem = "its sizes contradict each other"
        elif len(last) != STEP_REGISTERS or max(last) >> 32:
            problem = "the contents of a step register exceed 32 bits"
        elif program.memory_bytes > 1 << program.config.addr_width:
            problem = (f"its {program.memory_bytes} bytes of host memory exceed the "
                       f"{program.config.addr_width} address bits of {program.config.name}")
        if problem:
            raise ProgramError(f"{source} is damaged: {problem}; compile the model again")
