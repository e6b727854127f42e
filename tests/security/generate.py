#!/usr/bin/env python3
"""Write docs/security-cases.md: every attack of `cases.txt` with the tests that say they prove it.

tests/security/generate.py           writes it
tests/security/generate.py --check   tells whether it is as it would be written
"""

import ast
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from cases import CASES, GROUPS, Case

ROOT: Final = Path(__file__).resolve().parents[2]
DOCUMENT: Final = ROOT / "docs" / "security-cases.md"
COLUMNS: Final = (
    "| case | what is tried | what comes back | proved by | ASVS | API | RFC |",
    "|---|---|---|---|---|---|---|",
)
HEAD: Final = """# Attacks, answers and proofs

Written by `python tests/security/generate.py` from [the list](../tests/security/cases.txt) and from
the tests themselves: a test says with `@pytest.mark.case("A1")` what it proves. Another test fails
when this text is not what would be written.

"401" is, everywhere, one and the same problem document `invalid-token` with one and the same
`WWW-Authenticate`; why a token was refused stands in the log alone. The tokens of groups A, B and D
are [data](../chassis/chassis/testing/attacks/__init__.py), and are sent to the verifier, to the
edge and to each of the five services. ASVS is OWASP's Application Security Verification Standard
5.0, API its API Security Top 10 of 2023.
"""


def proofs() -> dict[str, list[str]]:
    """For each id, the tests that are marked with it, as `path::name`; read, never run.

    Raises: ValueError for a mark that is not made of literal strings.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(set(_test_files())):
        for name, ids in marked(ast.parse((ROOT / path).read_text()), path):
            for id in ids:
                found[id].append(f"{path}::{name}")
    return dict(found)


def marked(module: ast.Module, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """The tests of a module with the ids of their own marks, of their class's and of the module's.

    A mark may be given a name in the module and used by it; one string may hold several ids.
    """
    named = {ast.unparse(node.targets[0]): node.value for node in module.body if isinstance(node, ast.Assign)}
    of_module = named.get("pytestmark", ast.List(elts=[]))
    yield from _tests(module, _ids(getattr(of_module, "elts", [of_module]), named, path), named, path)


def render(found: Mapping[str, list[str]]) -> str:
    """The whole document."""
    return "\n".join([HEAD, *(_section(letter, title, found) for letter, title in GROUPS.items())])


def _tests(
    node: ast.AST, ids: list[str], named: Mapping[str, ast.expr], path: str
) -> Iterator[tuple[str, list[str]]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield from _tests(child, ids + _ids(child.decorator_list, named, path), named, path)
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and child.name.startswith("test_"):
            yield child.name, ids + _ids(child.decorator_list, named, path)


def _ids(expressions: list[ast.expr], named: Mapping[str, ast.expr], path: str) -> list[str]:
    marks = [named.get(ast.unparse(expression), expression) for expression in expressions]
    calls = [mark for mark in marks if ast.unparse(mark).startswith("pytest.mark.case(")]
    arguments = [argument for call in calls if isinstance(call, ast.Call) for argument in call.args]
    ids = [argument.value for argument in arguments if isinstance(argument, ast.Constant)]
    if len(ids) != len(arguments) or not all(isinstance(id, str) for id in ids):
        raise ValueError(f"{path}: a case must be marked with literal strings.")
    return " ".join(str(id) for id in ids).split()


def _test_files() -> list[str]:
    # New ones count before they are committed.
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*test_*.py"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.splitlines() if (ROOT / name).is_file()]


def _section(letter: str, title: str, found: Mapping[str, list[str]]) -> str:
    rows = [_row(case, found.get(case.id, [])) for case in CASES if case.id[0] == letter]
    return "\n".join([f"## {letter}. {title}", "", *COLUMNS, *rows, ""])


def _row(case: Case, tests: list[str]) -> str:
    proved = "<br>".join(_link(test) for test in tests) or f"waits for {case.waits or 'its test'}"
    return f"| {case.id} | {case.attack} | {case.answer} | {proved} | {case.asvs} | {case.api} | {case.rfc} |"


def _link(test: str) -> str:
    path, _, name = test.partition("::")
    return f"[{Path(path).name}::{name}](../{path})"


def main(arguments: list[str]) -> int:
    """Write the document, or compare it; 0 when it is as it must be."""
    text = render(proofs())
    if arguments == ["--check"]:
        return 0 if DOCUMENT.read_text() == text else 1
    DOCUMENT.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
