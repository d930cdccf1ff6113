"""Without Chromium the browser tests fail in CI; elsewhere they are skipped with a warning."""

import re
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from tests.browser import conftest

HERE = conftest.HERE / "test_start_here.py"
IN_THE_BROWSER = SimpleNamespace(path=HERE, fixturenames=["browser", "lab"])
WITHOUT_IT = SimpleNamespace(path=HERE, fixturenames=["tmp_path"])
ELSEWHERE = SimpleNamespace(path=conftest.HERE.parent / "test_house.py", fixturenames=["browser"])


@pytest.fixture(autouse=True)
def no_chromium(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", "")


def test_in_ci_the_tests_stay_and_fail_with_a_sentence(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CI", "true")
    items = [IN_THE_BROWSER, WITHOUT_IT, ELSEWHERE]
    conftest.pytest_collection_modifyitems(Mock(), items)
    assert items == [IN_THE_BROWSER, WITHOUT_IT, ELSEWHERE]
    with pytest.raises(AssertionError, match=re.escape(conftest.MISSING)):
        conftest.chromium_program()


def test_elsewhere_only_the_browser_tests_are_skipped_and_a_warning_says_why(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("CI", raising=False)
    config, items = Mock(), [IN_THE_BROWSER, WITHOUT_IT, ELSEWHERE]
    with pytest.warns(pytest.PytestWarning, match=re.escape(conftest.MISSING)):
        conftest.pytest_collection_modifyitems(config, items)
    assert items == [WITHOUT_IT, ELSEWHERE]
    config.hook.pytest_deselected.assert_called_once_with(items=[IN_THE_BROWSER])


def test_the_program_that_the_chromium_variable_names_is_used(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CHROMIUM", "/opt/chrome/chrome")
    assert conftest.chromium_program() == "/opt/chrome/chrome"
