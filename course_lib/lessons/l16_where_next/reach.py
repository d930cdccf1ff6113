"""The exercise `reach` of notebook 16."""

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.transformer import blocks

reach = Exercise(
    reference=blocks.reach,
    notebook=16,
    order=50,
    minutes=4,
    difficulty=1,
    returns=(Result("the number of tokens"),),
    example=case(2, 3),
    another=case(3, 4),
    cases=(
        case(1, 5, having=("a single layer",)),
        case(6, 1, having=("a window of one token",)),
        case(3, 100, having=("a long window",)),
        case(0, 7, having=("no layers",)),
        case(5, 2, having=("a window of two tokens",)),
    ),
    hints=(
        "With a window of 3, which tokens does token 10 read in one layer? And which tokens had those read before?",
        "Each layer carries information the same number of tokens further. How many?",
        "`window - 1` for each layer, and the token itself.",
    ),
)


@reach.mistake(
    "Your code counts a whole window for each layer. Windows overlap by one token: each layer adds `window` - 1 tokens."
)
def product(layers, window):
    return layers * window


@reach.mistake("Your reach does not count the token itself: add 1.")
def without_itself(layers, window):
    return layers * (window - 1)


@reach.mistake(
    "Your reach grows like a power. Each layer reaches a fixed number of tokens further back, so these numbers add up."
)
def power(layers, window):
    return window**layers


@reach.mistake("Your reach is that of a single layer. The next one reads what this one has gathered.")
def one_layer(layers, window):
    return window


@reach.mistake("Your code counts one layer too many. With no layers, the reach is the token itself.")
def one_layer_too_many(layers, window):
    return 1 + (layers + 1) * (window - 1)


@reach.mistake("Your reach is one token too long: the token itself is in every window, and counts once.")
def one_too_long(layers, window):
    return layers * (window - 1) + 2


@reach.mistake(
    "Your reach is the token itself and a whole window for each layer. A window includes the token that reads, so each "
    "layer adds one less."
)
def whole_windows(layers, window):
    return 1 + layers * window


@reach.mistake("Your reach is layers plus window. Each layer reaches `window` - 1 tokens further.")
def added(layers, window):
    return layers + window


@reach.right_for_whole_course
def step_by_step(layers, window):
    tokens = 1
    for _ in range(layers):
        tokens += window - 1
    return tokens


reach.right(lambda layers, window: layers * window - layers + 1)


@reach.right
def as_a_set_of_positions(layers, window):
    positions = {0}
    for _ in range(layers):
        positions = {position - back for position in positions for back in range(window)}
    return len(positions)
