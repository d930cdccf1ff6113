"""What is computed at each step of generation, with and without a cache of keys and values."""

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from course_lib.pictures.figures.display import describe, theme_of
from course_lib.pictures.look import colour

_MOST = 64
_TICKS = 16


def cache_staircase(ax: Axes, T: int, cached: bool) -> Axes:
    """Draw the tokens whose rows are computed at each of T steps: all so far without a cache, only the new one with it.

    A filled cell is computed. With a cache, a hatched cell is read: the keys and values of an earlier token.

    Args:
        ax: where to draw.
        T: the number of tokens, 1 to 64.
        cached: whether there is a cache.

    Returns:
        The axes, with their description in words.

    Raises:
        ValueError: if T is not from 1 to 64.
    """
    if not 1 <= T <= _MOST:
        raise ValueError(f"T is the number of tokens to draw and should be from 1 to {_MOST}, but is {T}")
    theme = theme_of(ax)
    for step in range(1, T + 1):
        for token in range(1, step + 1):
            is_read = cached and token < step
            cell = Rectangle(
                (token - 0.5, step - 0.5),
                1,
                1,
                facecolor=colour("panel" if is_read else "query", theme),
                edgecolor=colour("paper" if T > _TICKS else "border", theme),
                linewidth=0.5 if T > _TICKS else 1,
                hatch="////" if is_read else None,
            )
            ax.add_patch(cell)
    ticks = range(1, T + 1) if T <= _TICKS else [1, *range(8, T + 1, 8)]
    ax.set_xticks(ticks)
    ax.set_yticks(ticks)
    ax.xaxis.tick_top()
    ax.xaxis.set_label_position("top")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set(xlim=(0.4, T + 0.6), ylim=(T + 0.6, 0.4), aspect="equal", ylabel="step")
    ax.set_xlabel("token (filled: computed; hatched: read)" if cached else "token (filled: computed)")
    rows = T if cached else T * (T + 1) // 2
    formula = "T" if cached else "T(T + 1) / 2"
    ax.set_title(f"{'with' if cached else 'without'} a cache: {formula} = {rows} row{'s' * (rows > 1)}")
    read = f", and the keys and values of {T * (T - 1) // 2} are read from the cache" if cached else ""
    with_or_not = "With" if cached else "Without"
    return describe(ax, f"{with_or_not} a cache, {T} steps compute {rows} rows, one for each filled cell{read}.")
