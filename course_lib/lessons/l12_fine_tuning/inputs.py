"""Small models for the exercises of notebook 12."""

from torch import nn


def small_model(layers: int) -> nn.Module:
    """A model with a table, some layers and a head; its last layer is frozen already."""
    model = nn.ModuleDict(
        {
            "encoder": nn.ModuleDict(
                {
                    "table": nn.Embedding(5, 2),
                    "norm": nn.LayerNorm(2),
                    "layers": nn.ModuleList(nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2)) for _ in range(layers)),
                }
            ),
            "head": nn.Linear(2, 4),
            "head_norm": nn.LayerNorm(2),
            "norm": nn.LayerNorm(3),
        }
    )
    model["encoder"]["layers"][-1].requires_grad_(False)  # type: ignore[index]
    return model
