#!/usr/bin/env python3
"""Fuzz the edge with atheris, which the lock does not have: `uv pip install atheris` first.

python tests/fuzz/run.py request|reply|target [-max_total_time=600] [other options of libFuzzer]

It begins with what is committed under corpus/ and keeps what it finds in a folder that it names. A file
that it says crashed belongs into corpus/ with the repair: test_corpus.py tries them all.
"""

import importlib
import sys
import tempfile
from pathlib import Path

import atheris

CORPUS = Path(__file__).with_name("corpus")


def main() -> None:
    name, *options = sys.argv[1:]
    with atheris.instrument_imports(include=["gateway"]):
        module = importlib.import_module(f"fuzz_{name}")
    found = tempfile.mkdtemp(prefix=f"fuzz-{name}-")
    print(f"What is found is kept in {found}.")
    limits = ["-max_len=4096", "-timeout=10", f"-artifact_prefix={found}/"]
    atheris.Setup([sys.argv[0], found, str(CORPUS / name), *limits, *options], getattr(module, f"try_{name}"))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
