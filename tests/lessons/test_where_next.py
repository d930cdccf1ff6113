"""What notebook 16 measures, and the digits that it reads."""

import pytest
import torch

from course_lib.lessons.l16_where_next.for_notebook import digits, measuring
from course_lib.transformer.images import VisionTransformer


def test_the_most_bytes_at_once_are_counted_and_what_is_gone_is_not():
    def two_at_once() -> torch.Tensor:
        x = torch.ones(1000)
        return x + 1

    def one_after_another() -> None:
        for _ in range(5):
            torch.ones(1000)

    assert measuring.most_bytes(two_at_once) == 8_000
    assert measuring.most_bytes(one_after_another) == 4_000
    assert measuring.most_bytes(lambda: torch.ones(1000).view(10, 100).mT[0]) == 4_000


def test_costs_have_a_time_and_a_size_for_each_number_of_tokens():
    ways = {"copy": lambda query, key, value: query.clone(), "table": lambda query, key, value: query @ key.mT}
    measured = measuring.costs(ways, (8, 16, 32, 64))
    assert measured["copy"][1] == [N * 64 * 4 for N in (8, 16, 32, 64)]
    assert measured["table"][1] == [N * N * 4 for N in (8, 16, 32, 64)]
    assert all(each > 0 for times, _ in measured.values() for each in times)
    lines = measuring.table(measured, (8, 16, 32, 64)).splitlines()
    assert lines[1].endswith("1.00")
    assert lines[2].endswith("2.00")


def test_no_digit_is_both_learned_and_tested_on():
    data = digits.load(test=300)
    assert len(data.images) == 1_797 - 300
    known = {tuple(image.flatten().tolist()) for image in data.images}
    assert not known & {tuple(image.flatten().tolist()) for image in data.test_images}
    assert data.images.min() == 0
    assert data.images.max() == 1


def test_a_few_passes_beat_chance_and_the_class_token_looks_at_every_patch():
    data = digits.load()
    torch.manual_seed(0)
    model = VisionTransformer(4, 4, 10, 32, 2, 64, 1)
    losses = digits.train(model, data, epochs=4)
    assert losses[-1] < losses[0]
    assert digits.right(model, data).float().mean() > 0.3
    looked_at = digits.looked_at(model, data.test_images[:3])
    assert looked_at is not None
    assert looked_at.shape == (3, 4)
    assert (looked_at > 0).all()
    assert (looked_at.sum(dim=1) < 1).all()


def test_a_model_that_hides_its_weights_shows_none():
    class Hidden(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images

    assert digits.looked_at(Hidden(), torch.zeros(1, 8, 8)) is None


@pytest.mark.parametrize("threads", [1, 2])
def test_measuring_leaves_the_number_of_threads_as_it_was(threads: int):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        measuring.seconds(lambda: torch.ones(2), times=1)
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
