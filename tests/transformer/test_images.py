"""Pictures as texts of patches."""

import pytest
import torch
import torch.nn.functional as F

from course_lib.transformer.images import VisionTransformer, patches


@pytest.mark.parametrize("size", [1, 2, 4])
def test_patches_are_those_of_torchs_unfold(size: int):
    images = torch.randn(3, 8, 12)
    theirs = F.unfold(images[:, None], kernel_size=size, stride=size).mT
    torch.testing.assert_close(patches(images, size), theirs)


def test_squares_that_do_not_fill_the_picture_are_refused():
    with pytest.raises(ValueError, match="squares of 3 do not fill pictures of 8 times 8"):
        patches(torch.zeros(1, 8, 8), 3)


def test_a_picture_has_the_same_logits_alone_and_in_a_batch():
    torch.manual_seed(0)
    model = VisionTransformer(2, 16, 10, 8, 2, 16, 2)
    images = torch.rand(3, 8, 8)
    torch.testing.assert_close(model(images)[:1], model(images[:1]))


def test_where_a_patch_stands_counts():
    torch.manual_seed(0)
    model = VisionTransformer(2, 16, 10, 8, 2, 16, 1)
    image = torch.rand(1, 8, 8)
    assert not torch.allclose(model(image), model(image.flip(2)), atol=1e-4)
