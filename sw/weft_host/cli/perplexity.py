"""``weft perplexity``."""

import io
import json
import pathlib
import zipfile
import zlib
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from ..errors import InputError
from .files import InputFile, OutputFile
from .language import language_argument, open_source
from .options import config_options, json_option
from .output import print_json, progress, working, write_output

__all__ = ["perplexity"]


def _read_ids(path: str) -> list[int]:
    """Return the ids in a JSON file: a list, or an object with the key ``ids``."""
    try:
        found = json.loads(pathlib.Path(path).read_bytes())
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON: {error}") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    if isinstance(found, dict):
        found = found.get("ids")
    if not isinstance(found, list) or not all(type(x) is int for x in found):
        raise InputError(f"{path} has no list of ids: write [1, 2, 3] or {{\"ids\": [1, 2, 3]}}")
    return found


def _read_reference(path: str, ids: list[int], vocabulary: int) -> npt.NDArray[np.float64]:
    """Return the logits in a file that ``--logits`` wrote, for the same ids."""
    try:
        with zipfile.ZipFile(path):     # np.load reads other formats, too
            pass
        with np.load(path, allow_pickle=False) as arrays:
            stored, logits = arrays["ids"], arrays["logits"]
    except (OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile,
            zlib.error) as error:
        raise InputError(f"{path} is no file with the arrays ids and logits: {error}") from None
    if stored.tolist() != ids:
        raise InputError(f"{path} has the logits of other ids; evaluate the same text")
    if logits.shape != (len(ids), vocabulary):
        raise InputError(f"{path} has logits of shape {logits.shape} instead of "
                         f"({len(ids)}, {vocabulary})")
    if logits.dtype.kind not in "iuf" or not np.isfinite(logits).all():
        raise InputError(f"{path} has logits that are no finite numbers")
    return logits.astype(np.float64)


@click.command()
@language_argument
@click.option("--text", "text_path", type=InputFile(), help="File with the text, in UTF-8.")
@click.option("--ids", "ids_path", type=InputFile(),
              help="JSON file with the ids of the text tokens, in place of --text.")
@click.option("--logits", "logits_path", type=OutputFile(),
              help="File (.npz) to write the arrays ids and logits to, a row for each position.")
@click.option("--against", type=InputFile(),
              help="File (.npz) with other logits of the same ids, to compare with.")
@click.option("--context", type=click.IntRange(1), default=None,
              help="Largest number of positions. Default: that of the text, or of a program.")
@config_options
@json_option
def perplexity(model: str, text_path: str | None, ids_path: str | None, logits_path: str | None,
               against: str | None, context: int | None, preset_name: str,
               changes: tuple[str, ...], as_json: bool) -> None:
    """Evaluate a text with the language model MODEL on the emulator, and show its perplexity.

    With --against, also show the Kullback-Leibler divergence from the other logits, the share of
    positions with the same likeliest text token, and the perplexity of both.
    """
    from ..language import LanguageModel, Tokenizer, quality

    if (text_path is None) == (ids_path is None):
        raise click.UsageError("give either --text or --ids")
    source, config = open_source(model, preset_name, changes)
    if ids_path is not None:
        ids = _read_ids(ids_path)
    else:
        assert text_path is not None
        try:
            text = pathlib.Path(text_path).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"cannot read {text_path} as UTF-8: {error}") from None
        if source.vocabulary is None:
            raise InputError(f"{model} has no vocabulary; pass --ids instead of a text")
        ids = Tokenizer(source.vocabulary, model).encode(text)
    if len(ids) < 2:
        raise InputError("a perplexity needs at least two text tokens; number of those given: "
                         f"{len(ids)}")
    vocabulary = source.sizes.vocabulary
    wrong = [token for token in ids if not 0 <= token < vocabulary]
    if wrong:
        raise InputError(f"text token {wrong[0]} does not exist; the vocabulary has the ids 0 to "
                         f"{vocabulary - 1}")
    reference = None if against is None else _read_reference(against, ids, vocabulary)
    with working():
        # a program has a context of its own
        positions = context if source.program is not None else context or len(ids)
        running = LanguageModel(source, config, context=positions, progress=progress)
        rows = []
        for number, token in enumerate(ids):
            progress(f"evaluating: position {number + 1} of {len(ids)}")
            rows.append(running.logits([token])[0])
    logits = np.stack(rows)
    found: dict[str, Any] = {
        "model": model, "preset": config.name, "positions": len(ids),
        "perplexity": quality.perplexity(logits, np.array(ids))}
    if reference is not None:
        other = quality.perplexity(reference, np.array(ids))
        found |= {"against": against, "reference_perplexity": other,
                  "ratio": found["perplexity"] / other,
                  "divergence": float(quality.divergence(reference, logits).mean()),
                  "equal_first_choices": quality.equal_first_choices(reference, logits)}
    if logits_path:
        buffer = io.BytesIO()
        np.savez(buffer, ids=np.array(ids), logits=logits.astype(np.float32))
        write_output(logits_path, buffer.getvalue())
    if as_json:
        print_json(found)
        return
    click.echo(f"perplexity {found['perplexity']:.4f} over {len(ids)} positions")
    if reference is not None:
        click.echo(f"against {against}: perplexity {found['reference_perplexity']:.4f} (ratio "
                   f"{found['ratio']:.4f}), Kullback-Leibler divergence {found['divergence']:.5f}, "
                   f"{100 * found['equal_first_choices']:.1f} % equal first choices")
