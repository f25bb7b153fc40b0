"""Output of ``weft check`` for language models."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import click

from weft.spec.config import Config

from ..board_fit import memory_limit
from .output import print_json, progress, working
from .tables import print_table

if TYPE_CHECKING:
    from weft_boards._board import Board

    from ..language.model_check import ModelCheck

__all__ = ["check_language"]


def check_language(model: str, config: Config, board: Board | None, context: int | None,
                   as_json: bool) -> NoReturn:
    """Check a language model, print the result, and end the command."""
    from ..language.model_check import check_language_model

    with working():
        found = check_language_model(model, config, *memory_limit(config, board), context=context,
                                     progress=progress)
    target = board.name if board else config.name
    summary = _summary(found, target)
    if as_json:
        print_json({"target": target, **found.as_dict(), "summary": summary})
    else:
        _show(found)
        click.echo(summary)
    raise click.exceptions.Exit(0 if found.is_supported else 2)


def _summary(found: ModelCheck, target: str) -> str:
    text = f"{found.source} on {target}: "
    if found.unsupported:
        count = len(found.unsupported)
        text += (f"{count} unsupported propert{'y' if count == 1 else 'ies'}: the model cannot be "
                 "used" if found.sizes is None else
                 f"{count} unsupported propert{'y' if count == 1 else 'ies'} of the tokenizer: the "
                 "model can be used with ids only")
        if found.sizes is None:
            return text
        text += "; "
    if found.problem:
        return f"{text}cannot run: {found.problem}"
    assert found.program is not None
    return (f"{text}{found.program.instruction_count:,} instructions, "
            f"{found.program.memory_bytes:,} of {found.available:,} bytes of host memory with a "
            f"context of {found.context} positions")


def _show(found: ModelCheck) -> None:
    if found.unsupported:
        print_table(("property", "reason"), [(v.operator, v.reason) for v in found.unsupported],
                    title=f"{found.source}: not supported", wraps=("reason",))
        click.echo()
    if found.sizes is None:
        return
    sizes = found.sizes
    print_table(("type", "tensors", "elements", "bytes", "on the device"),
                [(kind.kind, kind.tensors, f"{kind.elements:,}", f"{kind.bytes:,}", kind.stored)
                 for kind in found.types], title=f"{found.source}: {found.family}"
                + (f", {found.name}" if found.name else ""),
                numbers=("tensors", "elements", "bytes"))
    click.echo(f"\n{found.parameters:,} parameters; {sizes.layers} layers, dim {sizes.dim}, "
               f"{sizes.heads} heads of {sizes.head_size}, {sizes.kv_heads} of keys and values, "
               f"feed-forward {sizes.feed_forward}, vocabulary {sizes.vocabulary}, context "
               f"{sizes.context}")
    click.echo(f"tokenizer: {found.tokenizer}")
    memory = found.memory()
    if memory:
        click.echo(f"host memory: {memory['instruction_bytes']:,} bytes of instructions, "
                   f"{memory['constant_bytes']:,} of weights and tables, "
                   f"{memory['cache_bytes']:,} of cache and logits")
