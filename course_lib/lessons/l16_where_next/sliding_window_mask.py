"""The exercise `sliding_window_mask` of notebook 16."""

import torch

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.transformer import blocks

sliding_window_mask = Exercise(
    reference=blocks.sliding_window_mask,
    notebook=16,
    order=40,
    minutes=6,
    difficulty=1,
    returns=(Result("the mask", "T, T"),),
    example=case(4, 2),
    another=case(4, 3),
    cases=(
        case(5, 1, having=("a window of one token",)),
        case(3, 3, having=("a window as long as the text",)),
        case(3, 10, having=("a window longer than the text",)),
        case(7, 3, having=("a longer text",)),
        case(1, 1, having=("a single token", "a window of one token", "a window as long as the text")),
    ),
    hints=(
        "Write the mask for four tokens and a window of two on paper. How many True are in the last row?",
        "How far is key s behind query t? For which distances may t read s?",
        "`torch.arange(T)` as a column minus the same as a row says how far: from 0 to below `window` is allowed.",
    ),
)


@sliding_window_mask.mistake("Your window is one token too wide: the token itself is one of the `window` tokens.")
def one_too_wide(T, window):
    return blocks.sliding_window_mask(T, window + 1)


@sliding_window_mask.mistake("Your window is one token too narrow: a window of 1 is the token itself.")
def one_too_narrow(T, window):
    return blocks.sliding_window_mask(T, window - 1) if window > 1 else torch.zeros(T, T, dtype=torch.bool)


@sliding_window_mask.mistake("Your window reaches in both directions. A token must not read those after it.")
def both_sides(T, window):
    return (torch.arange(T)[:, None] - torch.arange(T)).abs() < window


@sliding_window_mask.mistake("Your window looks ahead, not back: rows are queries, columns are keys.")
def ahead(T, window):
    return blocks.sliding_window_mask(T, window).mT


@sliding_window_mask.mistake("Your mask is the causal one. A token should only read the last `window` tokens.")
def causal(T, window):
    return torch.ones(T, T, dtype=torch.bool).tril()


@sliding_window_mask.mistake("Your mask is True where a token must not read. Here True means 'may attend'.")
def inverted(T, window):
    return ~blocks.sliding_window_mask(T, window)


@sliding_window_mask.mistake("Your tokens do not read themselves. The window ends at the token itself.")
def without_itself(T, window):
    behind = torch.arange(T)[:, None] - torch.arange(T)
    return (behind > 0) & (behind < window)


@sliding_window_mask.mistake("Your mask cuts the text into pieces. The window slides: it ends at each token.")
def pieces(T, window):
    piece = torch.arange(T) // window
    return (piece[:, None] == piece) & torch.ones(T, T, dtype=torch.bool).tril()


@sliding_window_mask.mistake(
    "Your mask does not hold True and False. A mask should be Boolean: return a comparison, or use `.bool()`."
)
def numbers(T, window):
    return blocks.sliding_window_mask(T, window).long()


@sliding_window_mask.mistake(
    "Your mask hides what is too far back, but shows all tokens that come later. A token reads itself and tokens "
    "before it: combine your mask with the causal one."
)
def future_visible(T, window):
    return torch.arange(T)[:, None] - torch.arange(T) < window


@sliding_window_mask.mistake(
    "Where a window would begin before the text, the start of your slice is negative, so it counts from the end, and "
    "most of these rows are empty. Such a window begins at token 0."
)
def start_from_the_end(T, window):
    mask = torch.zeros(T, T, dtype=torch.bool)
    for t in range(T):
        mask[t, t - window + 1 : t + 1] = True
    return mask


@sliding_window_mask.right_for_whole_course
def by_two_triangles(T, window):
    ones = torch.ones(T, T, dtype=torch.bool)
    return ones.tril() & ones.triu(1 - window)


@sliding_window_mask.right
def in_loops(T, window):
    mask = torch.zeros(T, T, dtype=torch.bool)
    for t in range(T):
        mask[t, max(0, t - window + 1) : t + 1] = True
    return mask
