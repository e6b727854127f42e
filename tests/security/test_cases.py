"""The document of attacks tells what the tests prove, and every attack has its proof."""

import ast

import pytest
from cases import CASES, GROUPS
from generate import DOCUMENT, marked, proofs, render

COUNT = 136


@pytest.fixture(scope="module")
def found():
    return proofs()


def test_lists_every_attack_once_and_in_order():
    ids = [case.id for case in CASES]

    assert len(ids) == COUNT
    assert ids == sorted(set(ids), key=lambda id: (id[0], int(id[1:])))
    assert {id[0] for id in ids} == GROUPS.keys()


def test_maps_every_attack_to_requirements():
    assert [case.id for case in CASES if not (case.attack and case.answer and case.asvs and case.api)] == []


def test_knows_every_attack_that_a_test_names(found):
    assert found.keys() - {case.id for case in CASES} == set()


def test_proves_every_attack_that_waits_for_nothing(found):
    assert [case.id for case in CASES if not case.waits and case.id not in found] == []


def test_lets_no_attack_wait_that_is_proved(found):
    assert [case.id for case in CASES if case.waits and case.id in found] == []


def test_tells_what_is_proved_as_it_is(found):
    assert DOCUMENT.read_text() == render(found), "python tests/security/generate.py writes it"


def test_finds_the_marks_of_a_test_its_class_and_its_module():
    module = ast.parse(
        'pytestmark = [pytest.mark.slow, pytest.mark.case("A1")]\n'
        '@pytest.mark.case("B1", "B2")\n'
        "class TestIt:\n"
        '    @pytest.mark.case("C1")\n'
        "    def test_a(self): pass\n"
        "def test_b(): pass\n"
        'of_keys = pytest.mark.case("C2 C3")\n'
        "@of_keys\n"
        "def test_c(): pass\n"
        '@pytest.mark.case("D1")\n'
        "def helps(): pass\n"
    )

    assert list(marked(module)) == [
        ("test_a", ["A1", "B1", "B2", "C1"]),
        ("test_b", ["A1"]),
        ("test_c", ["A1", "C2", "C3"]),
    ]


@pytest.mark.parametrize("ids", ["*IDS", "ID", 'f"A{1}"', "1"])
def test_refuses_a_mark_that_it_cannot_read(ids):
    module = ast.parse(f"@pytest.mark.case({ids})\ndef test_a(): pass\n")

    with pytest.raises(ValueError, match="literal"):
        list(marked(module))
