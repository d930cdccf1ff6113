"""How large a step to take: the learning rate, step by step. Built by hand in notebook 07."""

import math


def learning_rate(step: int, d_model: int, warmup: int) -> float:
    """The learning rate of 2017: it rises linearly for `warmup` steps, then falls with the root of the step.

        d_model^-0.5 · min(step^-0.5, step · warmup^-1.5)

    Steps count from 1. Vaswani et al. 2017, arXiv:1706.03762, section 5.3, eq. 3. Built by hand in notebook 07.

    >>> round(learning_rate(4000, d_model=512, warmup=4000), 6)
    0.000699
    """
    return float(d_model**-0.5 * min(step**-0.5, step * warmup**-1.5))


def inverse_square_root(step: int, peak: float, warmup: int) -> float:
    """Give the learning rate of 2017: it rises linearly for `warmup` steps, then falls with the root of the step.

        peak · min(step / warmup, √(warmup / step))

    Steps count from 1. With peak = (d_model · warmup)^-0.5 this is Vaswani et al. 2017, section 5.3, eq. 3.

    >>> round(inverse_square_root(4000, peak=(512 * 4000) ** -0.5, warmup=4000), 6)
    0.000699
    """
    return peak * min(step / max(warmup, 1), math.sqrt(max(warmup, 1) / step))


def warmup_cosine(step: int, peak: float, warmup: int, total: int) -> float:
    """Give the learning rate of GPT: it rises linearly for `warmup` steps, then falls along half a cosine.

    It would be 0 in the step after the last one, `total`.

    Steps count from 1. Radford et al. 2018, section 4.1. After the last step the rate stays 0.
    """
    if step > total:
        return 0.0
    if step < warmup:
        return peak * step / warmup
    return peak * (1 + math.cos(math.pi * (step - warmup) / (total + 1 - warmup))) / 2


def warmup_stable_decay(step: int, peak: float, warmup: int, share: float, decay: float) -> float:
    """Give a learning rate that rises linearly, stays, and falls linearly to 0 over the last part of the training.

    Since only the fall depends on when the training ends, and `share` may be a share of time, it suits a training that
    lasts so many minutes. Hu et al. 2024 (MiniCPM), arXiv:2404.06395, section 4; there the fall is exponential.

    Args:
        step: counted from 1.
        peak: the highest rate.
        warmup: steps until the rate is highest.
        share: how much of the training is done, from 0 to 1: of its steps or of its time.
        decay: over which last share of the training the rate falls; 0: it never does.

    >>> [round(warmup_stable_decay(500, 0.01, 100, share, decay=0.25), 6) for share in (0.5, 0.75, 0.9, 1.0)]
    [0.01, 0.01, 0.004, 0.0]
    """
    left = 1.0 if decay == 0 else min((1 - share) / decay, 1.0)
    return peak * min(step / max(warmup, 1), 1.0) * left
