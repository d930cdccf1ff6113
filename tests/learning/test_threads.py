"""Computing on a single thread for a while."""

from contextlib import suppress

import pytest
import torch

from course_lib.learning.threads import one_thread


@pytest.mark.parametrize("threads", [1, 2])
def test_the_number_of_threads_is_put_back_even_after_an_error(threads: int):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with suppress(KeyError), one_thread():
            assert torch.get_num_threads() == 1
            raise KeyError
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
