"""Arguments and options of the verbs for language models."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from weft.spec.config import Config

from ..errors import InputError, ProgramError
from ..program.file import Program, is_program
from .devices import config_is_given, make_config, make_device, require_memory
from .files import InputPath
from .options import Decorator, serial_port

if TYPE_CHECKING:
    from ..device import Device
    from ..language import DeviceFactory, LanguageSource

__all__ = ["context_option", "device_factory", "is_language_model", "is_language_program",
           "language_argument", "make_language_config", "open_source", "refuse_context"]

_GGUF = b"GGUF"

language_argument: Decorator = click.argument("model", type=InputPath())

context_option: Decorator = click.option(
    "--context", type=click.IntRange(1), default=None,
    help="Largest number of positions of a language model. Default: 512, or fewer if the model "
         "has fewer.")


def is_language_model(path: str) -> bool:
    """Return whether a path is that of a language model: a GGUF file, or a folder."""
    if os.path.isdir(path):
        return True
    with open(path, "rb") as file:
        return file.read(len(_GGUF)) == _GGUF


def is_language_program(path: str) -> bool:
    """Return whether a path is that of the program of a language model.

    Raises
    ------
    ProgramError
        If it is that of a damaged program.
    """
    return is_program(path) and Program.load(path).is_language_model


def refuse_context(context: int | None) -> None:
    """Refuse ``--context`` for a model that is no language model."""
    if context is not None:
        raise click.BadParameter("only language models have a context", param_hint="--context")


def device_factory(model: str, where: str, config: Config, latency: int,
                   bandwidth: float) -> DeviceFactory:
    """Return the function that makes the device which ``--on`` names.

    Before a simulator is built, it checks that simulated hardware can have the needed memory.
    """
    from ..language import DeviceFactory

    def make(size: int) -> Device:
        if serial_port(where) is None:
            require_memory(config, size, model)
        return make_device(where, config, memory_bytes=size, latency=latency, bandwidth=bandwidth)

    return DeviceFactory(config, make)


def make_language_config(preset_name: str, changes: tuple[str, ...],
                         where: str = "rtl") -> Config:
    """Return the configuration for a language model that the options describe.

    It has the fixed-point instructions, and two tile lines if the array is large enough, unless
    ``--set tile_lines`` is given.
    """
    from ..language import language_config

    config = make_config(preset_name, changes, where)
    changed = {change.partition("=")[0].strip() for change in changes}
    if "fixed_point" in changed and not config.fixed_point:
        raise InputError("language models need the fixed-point instructions; leave out --set "
                         "fixed_point")
    if "tile_lines" in changed:
        return language_config(config, two_lines=False)
    return language_config(config, two_lines=True if config_is_given() else None)


def open_source(model: str, preset_name: str, changes: tuple[str, ...],
                where: str = "rtl") -> tuple[LanguageSource, Config]:
    """Return a language model, and the configuration to run it on.

    The configuration of a program is its own; ``--preset``, ``--board`` and ``--set`` must describe
    the same one if they are given. For others, see :func:`make_language_config`.
    """
    from ..language import open_language_model

    # a wrong option is reported before a large file is read
    own = is_program(model) and not config_is_given()
    config = None if own else make_language_config(preset_name, changes, where)
    source = open_language_model(model)
    if source.program is None:
        assert config is not None, "only a program has a configuration of its own"
        return source, config
    found = source.program.config
    if config is not None and config.fingerprint != found.fingerprint:
        raise ProgramError(
            f"{model} is compiled for {found.name}, not for {config.name}; leave out --preset, "
            f"--board and --set, or compile the model for {config.name}")
    return source, found
