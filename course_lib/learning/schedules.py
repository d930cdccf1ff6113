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

    Steps count from 1. Radford et al. 2018, section 4.1.
    """
    if step < warmup:
        return peak * step / warmup
    return peak * (1 + math.cos(math.pi * (step - warmup) / (total + 1 - warmup))) / 2
