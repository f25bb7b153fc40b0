"""Entry point of ``python -m weft_host.cli``."""

from . import main

main()
