"""The sample notebook, for the tests of the canonical form."""

from tests.notebooks.conftest import sample

__all__ = ["sample"]
