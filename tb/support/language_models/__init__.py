"""Generator of small random language models, written as GGUF files and Hugging Face folders."""

from support.language_models.canonical import golden_model, random_tensors
from support.language_models.from_file import model_of_file
from support.language_models.gguf_files import write_gguf
from support.language_models.hf_folders import write_folder
from support.language_models.random_file import random_file
from support.language_models.shapes import SHAPES, Shape
from support.language_models.vocabularies import BYTE_LEVEL, SENTENCEPIECE, vocabulary

__all__ = ["BYTE_LEVEL", "SENTENCEPIECE", "SHAPES", "Shape", "golden_model", "model_of_file",
           "random_file", "random_tensors", "vocabulary", "write_folder", "write_gguf"]
