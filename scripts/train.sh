#!/usr/bin/env bash
# Train the network of examples/digits again and write it to build/digits.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! .venv/bin/python -c 'import sklearn' 2>/dev/null; then
    echo "train: installing the extra 'train' into .venv"
    .venv/bin/python -m pip install -q --disable-pip-version-check --no-input -c constraints.txt \
        -e '.[train]'
fi
mkdir -p build/digits
echo "train: about a minute on one core"
.venv/bin/python examples/digits/train.py --output build/digits "$@"
