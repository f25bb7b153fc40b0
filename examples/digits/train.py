"""Train the digits network, quantise it, and write ``digits.tflite`` and ``digits.npz``.

The script needs the extras ``train`` (scikit-learn with its 1,797 handwritten digits) and ``test``
(the reference kernels, for the stored results)::

    python examples/digits/train.py

Equal seeds give equal files on one machine. Another BLAS may round sums differently and train a
slightly different network. ``README.md`` describes the contents of the files.
"""

import argparse
import time
import zlib
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from network import Adam, digits_network, forward, softmax
from quantise import quantise, quantise_input
from sklearn.datasets import load_digits

from weft.spec.integers import ceil_div

HELD_OUT = 360
SPLIT_SEED = 2024


def split():
    """Return images from 0 to 1 and labels of the training part and of the held-out part."""
    digits = load_digits()
    images = (digits.images / 16).astype(np.float32)[..., None]
    order = np.random.default_rng(SPLIT_SEED).permutation(len(images))
    # the same share of each class, in random order
    ranked = order[np.argsort(digits.target[order], kind="stable")]
    held_out = np.zeros(len(images), bool)
    held_out[ranked[np.linspace(0, len(ranked) - 1, HELD_OUT).astype(int)]] = True
    train, test = order[~held_out[order]], order[held_out[order]]
    return (images[train], digits.target[train]), (images[test], digits.target[test])


def train(images, labels, *, seed, epochs, batch=32, peak_rate=4e-3, report=print):
    """Train on the images, randomly shifted by a pixel; return the layers."""
    rng = np.random.default_rng(seed)
    layers = digits_network(rng)
    optimiser = Adam(layers, decay=1e-2)
    steps, step = epochs * ceil_div(len(images), batch), 0
    for epoch in range(epochs):
        order, loss = rng.permutation(len(images)), 0.0
        for start in range(0, len(images), batch):
            chosen = order[start : start + batch]
            probability = softmax(forward(layers, jitter(rng, images[chosen]))[-1])
            loss -= np.log(probability[np.arange(len(chosen)), labels[chosen]] + 1e-9).sum()
            probability[np.arange(len(chosen)), labels[chosen]] -= 1
            gradient = probability / len(chosen)
            for layer in reversed(layers):
                gradient = layer.backward(gradient)
            optimiser.step(peak_rate * 0.5 * (1 + np.cos(np.pi * step / steps)))
            step += 1
        if epoch % 10 == 9:
            report(f"epoch {epoch + 1}/{epochs}: loss {loss / len(images):.4f}")
    return layers


def jitter(rng, images):
    """Shift half of the images by at most one pixel vertically and horizontally."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    moves = rng.integers(-1, 2, (len(images), 2)) * rng.integers(0, 2, (len(images), 1))
    return np.stack(
        [p[1 + dy : 9 + dy, 1 + dx : 9 + dx] for p, (dy, dx) in zip(padded, moves)]
    )


def reference(model, images):
    """Outputs of the reference kernels, and a CRC-32 of each tensor an operator computes."""
    interpreter = Interpreter(
        model_content=model,
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]["index"]
    target = interpreter.get_output_details()[0]["index"]
    computed = sorted(int(op["outputs"][0]) for op in interpreter._get_ops_details())
    outputs, crcs = [], []
    for image in images:
        interpreter.set_tensor(source, image[None])
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(target)[0])
        crcs.append([zlib.crc32(interpreter.get_tensor(i).tobytes()) for i in computed])
    return np.array(outputs), np.array(computed, np.int32), np.array(crcs, np.uint32)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    started = time.monotonic()
    (images, labels), (test_images, test_labels) = split()
    layers = train(images, labels, seed=arguments.seed, epochs=arguments.epochs)
    real = np.mean(forward(layers, test_images)[-1].argmax(axis=1) == test_labels)
    model = quantise(layers, images)
    q_images = quantise_input(test_images)
    outputs, tensors, crcs = reference(model, q_images)
    accuracy = np.mean(outputs.argmax(axis=1) == test_labels)
    print(f"held-out accuracy: {real:.4f} in float32, {accuracy:.4f} in int8")
    (arguments.output / "digits.tflite").write_bytes(model)
    np.savez_compressed(
        arguments.output / "digits.npz",
        in0=q_images[:1],
        images=q_images,
        labels=test_labels.astype(np.uint8),
        outputs=outputs,
        tensors=tensors,
        tensor_crc32=crcs,
    )
    for name in ("digits.tflite", "digits.npz"):
        print(f"{name}: {(arguments.output / name).stat().st_size} bytes")
    print(f"{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
