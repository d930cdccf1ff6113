"""The encoder reads pictures: patches in place of words. Built by hand in notebook 16.

Dosovitskiy et al. 2021, *An Image is Worth 16x16 Words*, arXiv:2010.11929.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from course_lib.transformer.layers import EncoderLayer


def patches(images: Tensor, size: int) -> Tensor:
    """Cut pictures into squares, row by row, and write the numbers of each square one after another.

    Dosovitskiy et al. 2021, arXiv:2010.11929, section 3.1. Built by hand in notebook 16.

    Takes pictures (B, height, width) and the width of a square. Returns (B, N, size²) for N squares. Raises ValueError
    where the squares do not fill the pictures.

    >>> patches(torch.arange(16).view(1, 4, 4), 2)[0]
    tensor([[ 0,  1,  4,  5],
            [ 2,  3,  6,  7],
            [ 8,  9, 12, 13],
            [10, 11, 14, 15]])
    """
    B, height, width = images.shape
    if height % size or width % size:
        raise ValueError(f"squares of {size} do not fill pictures of {height} times {width}")
    cut = images.reshape(B, height // size, size, width // size, size)
    return cut.transpose(2, 3).reshape(B, -1, size * size)


class VisionTransformer(nn.Module):
    """The Transformer's encoder, which reads a picture as a text of patches, and says what is on it.

    A *class token*, a vector that is learned and stands before the patches, collects what the class depends on; a
    linear map turns it into logits. Dosovitskiy et al. 2021, arXiv:2010.11929, eqs. 1 to 4. Built by hand in notebook
    16.

    Args:
        patch_size: the width of a patch.
        count: how many patches a picture has, N.
        classes: how many classes there are, C.
        d_model, heads, d_ff, layers: as in `Transformer`.
        encoder_layer: the class of the layers, made with d_model, heads, d_ff and dropout.

    >>> VisionTransformer(2, 16, classes=10, d_model=8, heads=2, d_ff=16, layers=1)(torch.rand(3, 8, 8)).shape
    torch.Size([3, 10])
    """

    def __init__(
        self,
        patch_size: int,
        count: int,
        classes: int,
        d_model: int,
        heads: int,
        d_ff: int,
        layers: int,
        *,
        encoder_layer: Callable[..., nn.Module] = EncoderLayer,
    ) -> None:
        super().__init__()
        self.patch_size = patch_size
        self.embed = nn.Linear(patch_size * patch_size, d_model)
        self.class_token = nn.Parameter(torch.randn(d_model) * 0.2)
        self.positions = nn.Parameter(torch.randn(count + 1, d_model) * 0.2)
        self.layers = nn.ModuleList(encoder_layer(d_model, heads, d_ff, 0.0) for _ in range(layers))
        self.output = nn.Linear(d_model, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Turn pictures (B, height, width) into logits (B, C)."""
        x = self.embed(patches(images, self.patch_size))  # (B, N, d_model)
        first = self.class_token.expand(len(x), 1, -1)  # (B, 1, d_model)
        x = torch.cat((first, x), dim=1) + self.positions  # (B, N + 1, d_model)
        for layer in self.layers:
            x = layer(x)
        logits: Tensor = self.output(x[:, 0])
        return logits
