"""A class called as a function: made once for each size, in the dtype of its inputs, with the same random numbers."""

import torch
from torch import Tensor, nn

from course_lib.exercises.fixed_weights import with_fixed_weights


class Noisy(nn.Module):
    """Draws random numbers in each call, and counts how often it is made."""

    made = 0

    def __init__(self, width: int) -> None:
        super().__init__()
        Noisy.made += 1
        self.map = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.map(x) + torch.rand(x.size(-1), dtype=x.dtype)


def test_a_class_is_made_once_for_each_size_and_dtype_and_draws_the_same_numbers_in_each_call():
    function, Noisy.made = with_fixed_weights(constructor_arguments=1, block=2)(Noisy), 0
    first, again = function(4, torch.ones(1, 4))[0], function(4, torch.ones(1, 4))[0]
    assert torch.equal(first, again)
    assert Noisy.made == 1
    assert function(2, torch.ones(1, 2))[0].shape == (1, 2)
    assert function(4, torch.ones(1, 4, dtype=torch.float64))[0].dtype == torch.float64
    assert Noisy.made == 3


def test_the_random_state_of_torch_does_not_change():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    with_fixed_weights(constructor_arguments=1, block=2)(Noisy)(4, torch.ones(1, 4))
    assert torch.equal(torch.rand(3), expected)
