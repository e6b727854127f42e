"""What test processes share is made once."""

from pathlib import Path

import pytest

from chassis.testing.sharing import making


def test_is_made_once(tmp_path: Path) -> None:
    with making(tmp_path / "shop") as first:
        pass

    with making(tmp_path / "shop") as second:
        pass

    assert (first, second) == (True, False)


def test_is_left_to_the_next_one_by_a_block_that_fails(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="full"), making(tmp_path / "shop"):
        raise OSError("The disk is full.")

    with making(tmp_path / "shop") as is_missing:
        assert is_missing
