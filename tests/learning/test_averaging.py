"""The mean of checkpoints."""

import pytest
import torch
from torch.optim.swa_utils import AveragedModel

from course_lib.learning.averaging import average_weights


def test_the_mean_is_that_of_torchs_averaged_model():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.LayerNorm(4))
    averaged, kept = AveragedModel(model), []
    for _ in range(3):
        with torch.no_grad():
            for weight in model.parameters():
                weight.add_(torch.randn_like(weight))
        averaged.update_parameters(model)
        kept.append({name: weight.clone() for name, weight in model.state_dict().items()})
    for name, weight in average_weights(kept).items():
        torch.testing.assert_close(weight, averaged.module.state_dict()[name])


def test_nothing_that_was_handed_in_changes_and_nothing_is_shared():
    first, second = {"w": torch.zeros(2)}, {"w": torch.ones(2)}
    mean = average_weights([first, second])
    mean["w"].add_(1)
    assert first["w"].tolist() == [0, 0]
    assert second["w"].tolist() == [1, 1]


def test_whole_numbers_are_the_last_ones():
    counted = average_weights([{"steps": torch.tensor(1)}, {"steps": torch.tensor(4)}])
    assert counted["steps"] == 4


@pytest.mark.parametrize(
    ("checkpoints", "said"),
    [
        ([], "nothing to average"),
        ([{"w": torch.zeros(2)}, {"v": torch.zeros(2)}], "checkpoint 1 belongs to another model .* 'v'"),
        ([{"w": torch.zeros(2)}, {"w": torch.zeros(3)}], "checkpoint 1 belongs to another model .* 'w'"),
    ],
)
def test_checkpoints_of_different_models_are_refused(checkpoints: list[dict[str, torch.Tensor]], said: str):
    with pytest.raises(ValueError, match=said):
        average_weights(checkpoints)
