"""The numbers in the documentation are those that its code prints."""

import contextlib
import io
import re
from pathlib import Path

import pytest

PAGES = sorted((Path(__file__).resolve().parents[1] / "docs").glob("*.md"))
# Code followed by what it prints, with prose between them.
PRINTED = re.compile(r"```python\n((?:(?!```).)*?print(?:(?!```).)*?)```(?:(?!```).)*?```\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_says_that_its_code_prints_is_what_it_prints(page: Path):
    found = PRINTED.findall(page.read_text(encoding="utf-8"))
    assert found
    names: dict = {}
    for code, said in found:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, names)
        assert printed.getvalue() == said
