"""Data of a language model in a program file: nothing is lost, and nothing is trusted."""

import copy
import dataclasses
import json
import random

import numpy as np
import pytest

from support.language_models import random_file
from support.seeds import seed
from weft.spec.presets import preset
from weft_host.compiler.frontend.llm import read_language_model
from weft_host.compiler.language_model.compile import compile_language_model
from weft_host.compiler.language_model.step_data import StepData
from weft_host.errors import ProgramError
from weft_host.program.file import LANGUAGE_MODEL, Program

CONFIG = preset("small", fixed_point=True)
CONTEXT = 40
KINDS = {"llama": "F32", "qwen2": "F32", "gpt2": "folder", "llama_llama3": "folder"}


def attached(folder, name="llama", kind="F32"):
    file = read_language_model(random_file(folder, name, kind=kind))
    program, registers = compile_language_model(file, CONFIG, CONTEXT)
    data = StepData.of_compiled(file, program, registers)
    return data, data.attached_to(program)


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return attached(tmp_path_factory.mktemp("model"))[1]


@pytest.mark.parametrize("name", KINDS)
def test_a_program_file_has_all_data_of_the_model(name, tmp_path):
    data, program = attached(tmp_path, name, KINDS[name])
    program.save(tmp_path / "p.weft")
    loaded = Program.load(tmp_path / "p.weft")
    assert loaded == program
    found = StepData.of_program(loaded, "p.weft")
    assert (found.sizes, found.logit_fraction, found.context) == (
        data.sizes, data.logit_fraction, CONTEXT)
    last = data.sizes.vocabulary - 1
    for token, position in ((0, 0), (last, 1), (5, 17), (last, CONTEXT - 1)):
        assert found.registers.values(token, position) == data.registers.values(token, position)
    for field in dataclasses.fields(data.vocabulary):
        expected, got = (getattr(each.vocabulary, field.name) for each in (data, found))
        if isinstance(expected, np.ndarray):
            assert got.dtype == expected.dtype and (got == expected).all(), field.name
        else:
            assert got == expected, field.name


def test_a_model_without_a_vocabulary_has_none_in_the_program(program):
    assert StepData.of_program(changed(program, lambda d: d.update(vocabulary=None)),
                               "p").vocabulary is None


def changed(program, change):
    """Return a program whose data was changed."""
    data = json.loads(program.attachments[LANGUAGE_MODEL])
    data = change(data) or data
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return dataclasses.replace(program, attachments={LANGUAGE_MODEL: raw})


def test_the_program_of_a_network_is_refused():
    program = Program(config=CONFIG, instructions=b"", memory_bytes=64)
    with pytest.raises(ProgramError, match=r"^p\.weft is not the program of a language model; weft "
                                           "run runs it$"):
        StepData.of_program(program, "p.weft")


def sizes(**changes):
    return lambda d: d["sizes"].update(changes)


def registers(**changes):
    return lambda d: d["registers"].update(changes)


def words(**changes):
    return lambda d: d["vocabulary"].update(changes)


@pytest.mark.parametrize("change, message", [
    (lambda d: b"\xff{}", "byte 0 of the language model's data is not UTF-8"),
    (lambda d: b"{", "is damaged: it is not JSON"),
    (lambda d: b"[" * 100_000, "is damaged: its values are nested too deep"),
    (lambda d: b"[]", "it holds a list instead of an object"),
    (lambda d: b'{"version": 1e999}', "the number 1e999 is not finite"),
    (lambda d: d.update(version=2), "data of a language model of version 2; this release reads 1"),
    (lambda d: d.update(version="1"), "'version' is '1' instead of"),
    (lambda d: d.update(logit_fraction=17), "'logit_fraction' is 17 instead of"),
    (lambda d: d.update(sizes=None), "lacks 'sizes.dim'"),
    (sizes(layers=0), "'sizes.layers' is 0 instead of"),
    (sizes(vocabulary=1 << 60), "'sizes.vocabulary' is 1152921504606846976 instead of"),
    (sizes(vocabulary=7), "'vocabulary.types' is .* instead of a number for each"),
    (sizes(vocabulary=4000), "it has no output with 4000 logits"),
    (sizes(context=CONTEXT - 1), "its sizes contradict each other"),
    (sizes(coded_weights=1 << 40), "its sizes contradict each other"),
    (sizes(head_size=3), "its sizes contradict each other"),
    (registers(context=CONTEXT - 1), "its sizes contradict each other"),
    (registers(context=0), "'registers.context' is 0 instead of"),
    (registers(row_bytes=[1, 2]), "instead of three sizes"),
    (registers(row_bytes=[1, 2, -3]), "instead of three sizes"),
    (registers(row_bytes=[(1 << 32) - 1, 2, 3]), "contents of a step register exceed 32 bits"),
    (registers(counts=[["keys", 0, 1]] * 2), "instead of a list of different counts"),
    (registers(counts=[["keys", index, 1] for index in range(54)]), "instead of a list of counts"),
    (registers(counts=[["keys", 0]]), "instead of a list of counts"),
    (registers(counts=[["keys", 0, 1.0]]), "instead of a list of counts"),
    (registers(counts=[["others", 0, 1]]), "instead of a list of counts"),
    (registers(counts={}), "instead of a list"),
    (words(kind="unigram"), "'vocabulary.kind' is 'unigram' instead of one of"),
    (words(kind="byte_level"), "'vocabulary.pre_tokenizer' is '' instead of the name"),
    (words(tokens=["a", 5]), "instead of a list of texts"),
    (words(tokens=[]), "instead of"),
    (words(types=[9] * 360), "instead of a list of numbers below 7"),
    (words(types=[1]), "instead of a number for each"),
    (words(scores=[0.0]), "instead of a number for each text token"),
    (words(scores=["x"] * 360), "instead of a number for each text token"),
    (words(scores=[1e300] * 360), "instead of finite numbers"),
    (words(merges=[["a"]]), "instead of a list of pairs of texts"),
    (words(end_ids=[360]), "instead of a list of numbers below 360"),
    (words(bos_id=-1), "'vocabulary.bos_id' is -1 instead of"),
    (words(add_bos="yes"), "instead of a truth value"),
    (words(normalisation="NFD"), "instead of '' or 'NFC'"),
    (words(space_prefix="all"), "instead of '' or 'NFC', and a known space_prefix"),
    (words(chat_template=5), "instead of a string"),
])
def test_data_of_unknown_origin_is_checked(program, change, message):
    with pytest.raises(ProgramError, match=f"^p.* {message}") as caught:
        StepData.of_program(changed(program, change), "p.weft")
    assert "compile the model again" in str(caught.value) or "lacks" in str(caught.value)


@pytest.mark.parametrize("changes, message", [
    ({"outputs": ()}, "it has no output with 360 logits"),
    ({"windows": ()}, "it has no window for the cache"),
    ({"config": preset("small", fixed_point=True, addr_width=16), "memory_bytes": 1 << 17},
     "bytes of host memory exceed the 16 address bits"),
])
def test_data_must_belong_to_the_program(program, changes, message):
    with pytest.raises(ProgramError, match=message):
        StepData.of_program(dataclasses.replace(program, **changes), "p.weft")


VALUES = (-1, 0, 1, 1 << 31, 1 << 62, 0.5, None, True, "", "x" * 50, [], {}, [[]], [0] * 9)


def test_random_changes_are_accepted_or_refused_with_a_sentence(program):
    rng = random.Random(seed(91))
    original = json.loads(program.attachments[LANGUAGE_MODEL])
    refused = 0
    for _ in range(300):
        data = copy.deepcopy(original)
        place, key = data, rng.choice(list(data))
        while isinstance(place[key], (dict, list)) and place[key] and rng.random() < 0.8:
            place = place[key]
            key = rng.choice(list(place)) if isinstance(place, dict) else rng.randrange(len(place))
        place[key] = rng.choice(VALUES)
        try:
            found = StepData.of_program(changed(program, lambda _, data=data: data), "p.weft")
        except ProgramError:
            refused += 1
            continue
        assert max(found.registers.values(0, 0)) >> 32 == 0
    assert refused > 100
