"""Storages that operations make are counted; views, and what was there before, are not."""

import subprocess
import sys

import torch

from course_lib.exercises.allocations import Allocations


def test_the_largest_storage_is_counted_in_elements_whatever_their_size():
    x = torch.ones(1000)
    with torch.no_grad(), Allocations() as allocations:
        x.double()[:300] + 1
        torch.ones(10).expand(5000, 10).transpose(0, 1)
    assert allocations.largest == 1000
    assert allocations.most == 8000 + 2400


def test_a_view_of_what_was_there_before_is_no_new_storage():
    x = torch.ones(1000)
    with torch.no_grad(), Allocations() as allocations:
        x.view(10, 100).mT[None].expand(7, 100, 10)
    assert (allocations.largest, allocations.most, allocations.alive) == (0, 0, 0)


def test_what_is_gone_is_not_alive():
    with torch.no_grad(), Allocations() as allocations:
        for _ in range(3):
            torch.ones(100)
    assert (allocations.alive, allocations.most, allocations.largest) == (0, 400, 100)


def test_the_shapes_of_tensors_of_fractions_are_kept():
    with torch.no_grad(), Allocations() as allocations:
        torch.ones(2, 3) * torch.arange(3)
    assert allocations.shapes == {(2, 3): 2}


def test_counting_does_not_load_torchs_compiler_which_takes_a_second():
    command = (
        "import sys, torch\n"
        "from course_lib.exercises.allocations import Allocations\n"
        "with torch.no_grad(), Allocations(): torch.ones(3) + 1\n"
        "print('torch._dynamo' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
