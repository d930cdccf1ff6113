"""The distribution of the next token: sorted bars, what a filter cuts, and the sum so far."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike
from torch import Tensor

from course_lib.pictures.figures.display import describe, theme_of
from course_lib.pictures.look import LOOK, colour, token_label

_SHOWN = 15
_WIDTH = 0.76


def next_tokens(
    ax: Axes,
    names: Sequence[str],
    probabilities: Tensor | ArrayLike,
    keep: Tensor | ArrayLike | None = None,
    title: str = "",
) -> Axes:
    """Draw the next token's distribution: the likeliest first, what is cut hatched, and a line for the sum so far.

    Bars and line share one scale from 0 to 1, so that figures side by side can be compared. After 15 tokens, one bar
    stands for all others.

    Args:
        ax: where to draw.
        names: the V tokens.
        probabilities: (V,), before anything is cut.
        keep: bool (V,): what the filters keep, such as `top_k_filter(logits, 5).isfinite()`. None: all.
        title: what it is. The number of tokens kept and their part of the probability are added to it.

    Returns:
        The axes, with their description in words.

    Raises:
        ValueError: if the shapes do not match, the probabilities do not add up to 1, or nothing is kept.
    """
    shares = torch.as_tensor(probabilities).detach().double().cpu()
    V = len(names)
    is_kept = torch.ones(V, dtype=torch.bool) if keep is None else torch.as_tensor(keep).cpu()
    if shares.shape != (V,) or is_kept.shape != (V,) or is_kept.dtype != torch.bool:
        raise ValueError(
            f"for {V} names, probabilities should be ({V},) and keep should be bool ({V},), but they are "
            f"{tuple(shares.shape)} and {is_kept.dtype} {tuple(is_kept.shape)}"
        )
    if shares.min() < 0 or abs(shares.sum().item() - 1) > 1e-3:
        raise ValueError(f"probabilities should be 0 or more and add up to 1, but add up to {shares.sum().item():.3f}")
    if not is_kept.any():
        raise ValueError("keep should be True for at least one token, but it is False for all")
    order = shares.argsort(descending=True, stable=True)  # (V,)
    shares, is_kept = shares[order], is_kept[order]  # (V,), (V,)
    labels = [token_label(names[i]) for i in order.tolist()]
    single = V if V <= _SHOWN else _SHOWN
    parts = [
        (share, 0.0) if keeps else (0.0, share) for share, keeps in zip(shares.tolist(), is_kept.tolist(), strict=True)
    ]
    if single < V:
        rest = [(sum(part[i] for part in parts[single:])) for i in (0, 1)]
        parts, labels = [*parts[:single], (rest[0], rest[1])], [*labels[:single], f"+{V - single}"]
    _draw(ax, parts, labels)
    count, mass = int(is_kept.sum()), shares[is_kept].sum().item()
    counted = f"{count} of {V} kept, Σ = {mass:.2f}"
    ax.set_title(f"{title}\n{counted}" if title else counted)
    words = f"The next of {V} tokens: the likeliest is {labels[0]}, {shares[0].item():.2f}. "
    words += f"{count} {'is' if count == 1 else 'are'} kept, with {mass:.2f} of the probability."
    return describe(ax, f"{title}. {words}" if title else words)


def next_tokens_compared(
    ax: Axes, names: Sequence[str], distributions: Mapping[str, Tensor | ArrayLike], shown: int = 8
) -> Axes:
    """Draw several distributions of the next token as bars side by side, for the tokens that the first finds likeliest.

    Args:
        ax: where to draw.
        names: the V tokens.
        distributions: name → probabilities (V,), at most four.
        shown: the number of tokens.

    Returns:
        The axes, with their description in words.

    Raises:
        ValueError: if there are no distributions or more than four, or the shapes do not match.
    """
    styles = LOOK["lines"]
    if not 0 < len(distributions) <= len(styles):
        raise ValueError(f"distributions should hold 1 to {len(styles)} of them, but it holds {len(distributions)}")
    shares = {name: torch.as_tensor(each).detach().double().cpu() for name, each in distributions.items()}
    for name, each in shares.items():
        if each.shape != (len(names),):
            raise ValueError(
                f"{name!r} should be ({len(names)},), one probability per name, but is {tuple(each.shape)}"
            )
    order = next(iter(shares.values())).argsort(descending=True, stable=True)[:shown]  # (shown,)
    theme, width = theme_of(ax), _WIDTH / len(shares)
    for i, ((name, each), line) in enumerate(zip(shares.items(), styles, strict=False)):
        left = [x - _WIDTH / 2 + i * width for x in range(len(order))]
        ink, border = colour(line["colour"], theme), colour("border", theme)
        hatch = (None, "////", "....", "xxxx")[i]  # so that the bars can be told apart without colour
        face = colour("panel", theme) if hatch else ink
        ax.bar(
            left,
            each[order].tolist(),
            width,
            align="edge",
            color=face,
            edgecolor=ink if hatch else border,
            hatch=hatch,
            label=name,
        )
    ax.set_xticks(range(len(order)), [token_label(names[i]) for i in order.tolist()], family="DejaVu Sans Mono")
    ax.tick_params(axis="x", length=0)
    ax.set(xlabel="next token, the likeliest first", ylabel="probability", ylim=(0, None))
    ax.legend(frameon=False)
    first = token_label(names[int(order[0])])
    likeliest = ", ".join(f"{each[order[0]].item():.2f} at {name}" for name, each in shares.items())
    return describe(ax, f"The {len(order)} likeliest next tokens, {len(shares)} bars for each. “{first}”: {likeliest}.")


def _draw(ax: Axes, parts: Sequence[tuple[float, float]], labels: Sequence[str]) -> None:
    """Draw the kept part of each bar solid and the cut part hatched above it, and a line for the sum so far."""
    theme = theme_of(ax)
    for x, (kept, cut) in enumerate(parts):
        for bottom, height, hatch in ((0.0, kept, None), (kept, cut, "////")):
            if height:
                bar = Rectangle(
                    (x - _WIDTH / 2, bottom),
                    _WIDTH,
                    height,
                    facecolor=colour("panel" if hatch else "query", theme),
                    edgecolor=colour("border", theme),
                    linewidth=1,
                    hatch=hatch,
                )
                ax.add_patch(bar)
    total, heights = 0.0, list[float]()
    for part in parts:
        total += sum(part)
        heights.append(total)
    ink = colour("ink", theme)
    ax.plot(range(len(parts)), heights, color=ink, linewidth=1.5, linestyle="-", marker="o", markersize=3.5)
    ax.annotate("sum so far", (len(parts) - 1, 1), (0, 6), textcoords="offset points", ha="right", fontsize=10)
    numbers = [f"{sum(part):.2f}".removeprefix("0") for part in parts]
    names = [f"{label}\n{number}" for label, number in zip(labels, numbers, strict=True)]
    ax.set_xticks(range(len(parts)), names, family="DejaVu Sans Mono", fontsize=8.5)
    ax.tick_params(axis="x", length=0)
    ax.set(xlim=(-0.7, len(parts) - 0.3), ylim=(0, 1.12), yticks=(0, 0.5, 1))
    others = f"; {labels[-1]}: all others" if len(parts) > _SHOWN else ""
    ax.set(xlabel=f"next token, the likeliest first{others}", ylabel="probability")
