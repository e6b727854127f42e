"""What fuzzing began with and what it found is tried again: bytes of clients, bytes of services, targets."""

from pathlib import Path

import pytest
from fuzz_reply import try_reply
from fuzz_request import try_request
from fuzz_target import try_target

CORPUS = Path(__file__).with_name("corpus")
TRIED = {"request": try_request, "reply": try_reply, "target": try_target}


@pytest.mark.case("E1", "E2", "E3", "F1", "F7", "G1", "G3", "G7")
@pytest.mark.parametrize("kind", TRIED)
def test_holds_for_all_that_was_found(kind):
    files = sorted((CORPUS / kind).iterdir())

    for file in files:
        TRIED[kind](file.read_bytes())

    assert len(files) > 10
