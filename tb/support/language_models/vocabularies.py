"""Small vocabularies in the two styles, made from a text."""

import dataclasses
import functools
import heapq
import json

import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

__all__ = ["BYTE_LEVEL", "SENTENCEPIECE", "TinyVocabulary", "vocabulary"]

BYTE_LEVEL, SENTENCEPIECE = "byte_level", "sentencepiece"
TEXT = ("Once upon a time there was a little loom. The weft is the thread that crosses the warp, "
        "and the shuttle carries it. The weaver counted 12 threads, then 345 more; she didn't "
        "stop, and they're all in the cloth. Über allen Gipfeln ist Ruh. 漢字 と かな.\n")


@dataclasses.dataclass(frozen=True, kw_only=True)
class TinyVocabulary:
    """Vocabulary with merges, and scores that decide in the same order.

    Attributes
    ----------
    kind : ``"byte_level"`` or ``"sentencepiece"``.
    tokens : texts by id.
    types : numbers of GGUF's ``token_type`` by id.
    merges : pairs of texts.
    scores : by id, for SentencePiece.
    bos, eos : ids.
    """

    kind: str
    tokens: tuple[str, ...]
    types: tuple[int, ...]
    merges: tuple[tuple[str, str], ...]
    scores: tuple[float, ...]
    bos: int
    eos: int


@functools.cache
def vocabulary(kind):
    """Return the vocabulary of a kind."""
    return _byte_level() if kind == BYTE_LEVEL else _sentencepiece()


def _byte_level():
    back_end = Tokenizer(models.BPE())
    back_end.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    back_end.train_from_iterator([TEXT], trainers.BpeTrainer(
        vocab_size=340, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"]))
    ids = back_end.get_vocab()
    tokens = tuple(sorted(ids, key=ids.get))
    merges = tuple(tuple(pair) for pair in json.loads(back_end.to_str())["model"]["merges"])
    return TinyVocabulary(kind=BYTE_LEVEL, tokens=tokens, merges=merges, scores=(), bos=1, eos=2,
                          types=(3, 3, 3) + (1,) * (len(tokens) - 3))


def _sentencepiece():
    """Merge the most frequent neighbours of a text again and again, as SentencePiece does."""
    text = TEXT.replace(" ", "\u2581")
    parts, merged = list(text), []
    for _ in range(60):
        counts = {}
        for pair in zip(parts, parts[1:]):
            counts[pair] = counts.get(pair, 0) + 1
        pair, = heapq.nlargest(1, counts, key=lambda pair: (counts[pair], pair))
        merged.append(pair)
        out = []
        for part in parts:
            out.append(out.pop() + part if out and (out[-1], part) == pair else part)
        parts = out
    joined = list(dict.fromkeys(left + right for left, right in merged))
    alphabet = sorted(set(text))
    tokens = ("<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *joined,
              *alphabet)
    scores = np.zeros(len(tokens))
    scores[259:] = -np.arange(len(tokens) - 259)
    types = (2, 3, 3) + (6,) * 256 + (1,) * (len(tokens) - 259)
    ids = set(tokens)
    # every division of a token into two tokens, in the order of the token's score
    merges = tuple((token[:cut], token[cut:]) for token in joined for cut in range(1, len(token))
                   if token[:cut] in ids and token[cut:] in ids)
    return TinyVocabulary(kind=SENTENCEPIECE, tokens=tokens, types=types, merges=merges,
                          scores=tuple(scores), bos=1, eos=2)
