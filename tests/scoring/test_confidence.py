import math

import numpy as np
import pytest
import torch
from scipy import stats

from course_lib.scoring.confidence import (
    bootstrap_interval,
    calibration_error,
    interval_of_mean,
    reliability,
    wilson_interval,
)


def test_the_interval_of_eight_of_ten_is_that_of_the_tables():
    # Wilson's interval for 8 of 10 with z = 1.96, worked by hand: the middle is (0.8 + 0.19208) / 1.38416, and the half
    # width is sqrt(0.016 * 3.8416 + 0.19208² ) / 1.38416.
    low, high = wilson_interval(8, 10)
    middle, half = 0.99208 / 1.38416, math.sqrt(0.016 * 3.8416 + 0.0368947264) / 1.38416
    assert low == pytest.approx(middle - half, abs=1e-9)
    assert high == pytest.approx(middle + half, abs=1e-9)


@pytest.mark.parametrize(("right", "total"), [(0, 10), (10, 10), (1, 1), (0, 1), (93, 100), (188, 200), (199, 200)])
def test_the_interval_holds_the_shares_that_a_count_is_compatible_with(right, total):
    # Straight from the definition, by trying every share on a fine grid.
    p = np.linspace(0, 1, 1_000_001)
    compatible = p[np.abs(right / total - p) <= 1.96 * np.sqrt(p * (1 - p) / total)]
    low, high = wilson_interval(right, total)
    assert low == pytest.approx(compatible.min(), abs=2e-6)
    assert high == pytest.approx(compatible.max(), abs=2e-6)


def test_the_interval_holds_the_true_share_in_about_95_of_100_experiments():
    for p, total in ((0.9, 200), (0.5, 20), (0.97, 100)):
        chances = [math.comb(total, k) * p**k * (1 - p) ** (total - k) for k in range(total + 1)]
        inside = [low <= p <= high for low, high in (wilson_interval(k, total) for k in range(total + 1))]
        # Brown, Cai and DasGupta 2001, "Interval Estimation for a Binomial Proportion", figure 11, show such swings.
        assert 0.92 < sum(chance for chance, held in zip(chances, inside, strict=True) if held) < 0.98


@pytest.mark.parametrize(("right", "total"), [(3, 2), (-1, 4), (0, 0)])
def test_counts_that_cannot_be_are_refused(right, total):
    with pytest.raises(ValueError, match=f"but they are {right} and {total}"):
        wilson_interval(right, total)


def test_the_calibration_error_by_hand():
    # Three answers near 0.93, two of them right: |2/3 - 0.93| = 0.26333. Two near 0.55, one right: |0.5 - 0.55| = 0.05.
    # Weighted by their counts: (3 · 0.26333 + 2 · 0.05) / 5 = 0.178.
    confidence = torch.tensor([0.92, 0.93, 0.94, 0.53, 0.57], dtype=torch.float64)
    correct = torch.tensor([True, True, False, True, False])
    assert calibration_error(confidence, correct, bins=10).item() == pytest.approx(0.178, abs=1e-12)


def test_the_calibration_error_is_that_of_numpys_histograms():
    generator = np.random.default_rng(0)
    confidence, bins = generator.random(500), 7
    correct = generator.random(500) < confidence**2
    counts, _ = np.histogram(confidence, bins, (0, 1))
    sums, _ = np.histogram(confidence, bins, (0, 1), weights=confidence)
    rights, _ = np.histogram(confidence, bins, (0, 1), weights=correct.astype(float))
    expected = sum(n / 500 * abs(right / n - total / n) for n, right, total in zip(counts, rights, sums, strict=True))
    got = calibration_error(torch.from_numpy(confidence), torch.from_numpy(correct), bins)
    assert got.item() == pytest.approx(expected, abs=1e-12)


def test_one_bin_compares_the_means():
    confidence, correct = torch.tensor([0.2, 0.4, 0.6]), torch.tensor([True, False, True])
    assert calibration_error(confidence, correct, bins=1).item() == pytest.approx(2 / 3 - 0.4, abs=1e-6)


def test_confidences_of_exactly_0_and_1_belong_to_the_first_and_the_last_bin():
    # In one bin with 0.95 and right, a wrong 1.0: |1/2 - 0.975|. A bin of its own would give (0.05 + 1) / 2.
    correct = torch.tensor([True, False])
    assert calibration_error(torch.tensor([0.95, 1.0]), correct, 10).item() == pytest.approx(0.475, abs=1e-6)
    assert calibration_error(torch.tensor([0.05, 0.0]), correct, 10).item() == pytest.approx(0.475, abs=1e-6)


def test_a_sure_model_that_is_always_right_has_no_calibration_error_and_one_that_is_always_wrong_the_largest():
    assert calibration_error(torch.ones(4), torch.ones(4, dtype=torch.bool), 10) == 0
    assert calibration_error(torch.ones(4), torch.zeros(4, dtype=torch.bool), 10) == 1


def test_what_is_no_list_of_probabilities_is_refused():
    correct = torch.tensor([True, False])
    with pytest.raises(ValueError, match=r"their shapes are \(3,\) and \(2,\)"):
        calibration_error(torch.ones(3), correct, 10)
    with pytest.raises(ValueError, match=r"their shapes are \(0,\) and \(0,\)"):
        calibration_error(torch.ones(0), correct[:0], 10)
    for bad in (1.5, -0.1, float("nan")):
        with pytest.raises(ValueError, match="are these logits"):
            calibration_error(torch.tensor([0.5, bad]), correct, 10)
    with pytest.raises(ValueError, match="bins should be 1 or more, but is 0"):
        calibration_error(torch.ones(2), correct, 0)


def test_a_picture_of_reliability_has_a_point_for_each_bin_that_is_full_enough():
    confidence = torch.tensor([0.92, 0.94, 1.0, 0.52, 0.55, 0.11], dtype=torch.float64)
    correct = torch.tensor([True, True, False, True, False, True])
    sure, right = reliability(confidence, correct, bins=10, least=2)
    assert sure == pytest.approx([(0.52 + 0.55) / 2, (0.92 + 0.94 + 1.0) / 3])
    assert right == pytest.approx([1 / 2, 2 / 3])
    assert len(reliability(confidence, correct, bins=10)[0]) == 3
    with pytest.raises(ValueError, match="are these logits"):
        reliability(10 * confidence, correct, bins=10)


def test_with_many_values_the_interval_is_the_bootstraps_of_scipy():
    values = np.random.default_rng(1).normal(size=400)
    found = interval_of_mean(values)
    theirs = stats.bootstrap((values,), np.mean, method="percentile", rng=2, n_resamples=10_000).confidence_interval
    assert found == pytest.approx((theirs.low, theirs.high), abs=0.01)


@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
def test_equals_are_seldom_told_apart(seeds: int):
    chance = np.random.default_rng(seeds)
    told = [low > 0 or high < 0 for low, high in (interval_of_mean(chance.normal(size=seeds)) for _ in range(1000))]
    # 0.05 is what 95 % means; two values have 0.08. With 1000 trials, two sigma are 0.014.
    assert np.mean(told) < (0.1 if seeds == 2 else 0.07)


@pytest.mark.parametrize("values", [[], [1.0]])
def test_fewer_than_two_values_have_no_interval(values: list):
    assert interval_of_mean(values) is None


def test_the_bootstraps_interval_is_between_the_percentiles_of_the_means():
    values, picks = torch.tensor([1.0, 2.0, 6.0]), torch.tensor([[0, 0, 0], [0, 1, 2], [2, 2, 2], [1, 1, 2]])
    expected = np.percentile([1.0, 3.0, 6.0, 10 / 3], [2.5, 97.5])
    assert bootstrap_interval(values, picks) == pytest.approx(tuple(expected), rel=1e-6)


def test_a_value_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="values should be finite numbers"):
        interval_of_mean([1.0, math.nan])
