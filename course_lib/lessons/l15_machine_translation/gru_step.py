"""The exercise `gru_step` of notebook 15."""

import torch

from course_lib.exercises.cases import Case, Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.transformer import recurrent


def step(B: int, d_in: int, d: int, seed: int = 0, having: tuple[str, ...] = ()) -> Case:
    """A case with vectors (B, d_in), states (B, d), and weights."""
    shapes = ((B, d_in), (B, d), (3 * d, d_in), (3 * d, d), (3 * d,), (3 * d,))
    return case(*(fixed_tensor(*shape, seed=seed + i) for i, shape in enumerate(shapes)), having=having)


gru_step = Exercise(
    reference=recurrent.gru_step,
    notebook=15,
    order=60,
    minutes=8,
    difficulty=2,
    returns=(Result("the next state", "B, d"),),
    example=step(1, 3, 2),
    another=step(1, 3, 2, seed=20),
    cases=(
        step(4, 3, 2, seed=1, having=("a batch",)),
        step(2, 3, 3, seed=2, having=("a batch", "vectors as wide as states")),
        step(2, 2, 5, seed=3, having=("a batch", "wide states")),
        step(3, 1, 1, seed=4, having=("a batch", "states of one number")),
    ),
    trained=True,
    hints=(
        "Compute W x + b and U h + c first; each has three parts of d numbers. Which of them does r use, which z?",
        "`(x @ W.T + b).chunk(3, dim=-1)` gives the parts for r, z and n. Do the same with the state.",
        (
            "r = sigmoid(x_r + h_r), z = sigmoid(x_z + h_z), n = tanh(x_n + r * h_n); the next state is "
            "(1 - z) * n + z * state."
        ),
    ),
)


gru_step.patch(
    "Your z is the share of the candidate. Here it is the share of the old state that stays: (1 - z) * n + z * h. "
    "Both conventions are in use, and the weights fit only one.",
    replace="(1 - z) * candidate + z * state",
    by="z * candidate + (1 - z) * state",
)
gru_step.patch(
    "In your code, r and z are exchanged. The first third of the weights belongs to r, the second to z.",
    replace="r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)",
    by="z, r = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)",
)
gru_step.patch(
    "Your code has two mistakes. r and z are exchanged: the first third of the weights belongs to r, the second "
    "to z. And your z is the share of the candidate; here it is the share of the old state: (1 - z) * n + z * h.",
    replace="r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)",
    by="z, r = torch.sigmoid(-x_r - h_r), torch.sigmoid(x_z + h_z)",
)
gru_step.patch(
    "Your candidate leaves r out: the whole state goes into it. Multiply U_n h + c_n by r.",
    replace="x_n + r * h_n",
    by="x_n + h_n",
)
gru_step.patch(
    "Your r multiplies x_n too. It belongs to what comes from the state only: x_n + r * h_n.",
    replace="x_n + r * h_n",
    by="r * (x_n + h_n)",
)
gru_step.patch(
    "Your candidate goes through a sigmoid, so it is never negative. Use tanh.",
    replace="torch.tanh(x_n + r * h_n)",
    by="torch.sigmoid(x_n + r * h_n)",
)
gru_step.patch(
    "Your candidate does not go through a tanh, so that the state can grow without limit.",
    replace="torch.tanh(x_n + r * h_n)",
    by="(x_n + r * h_n)",
)
gru_step.patch(
    "Your gates do not go through a sigmoid. A gate is a share, from 0 to 1.",
    replace="torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)",
    by="x_r + h_r, x_z + h_z",
)
gru_step.patch(
    "Your result is the candidate. Mix it with the old state: (1 - z) * n + z * h.",
    replace="(1 - z) * candidate + z * state",
    by="candidate",
)
gru_step.patch(
    "Your next state adds the whole candidate, whatever z is. Its share is 1 - z: (1 - z) * n + z * h.",
    replace="(1 - z) * candidate + z * state",
    by="candidate + z * state",
)
gru_step.patch(
    "Your code leaves out the biases b of the vectors.",
    replace="(x @ W.T + b)",
    by="(x @ W.T)",
)
gru_step.patch(
    "Your code leaves out the biases c of the state.",
    replace="(state @ U.T + c)",
    by="(state @ U.T)",
)


@gru_step.mistake(
    "In your candidate, r multiplies the state before the matrix U_n does, as in the paper of 2014. Here, as in torch, "
    "r multiplies U_n h + c_n: weights trained for one form do not work in the other.",
    seen="https://arxiv.org/abs/1406.1078",
)
def reset_before(x, state, W, U, b, c):
    d = state.size(-1)
    r = torch.sigmoid(x @ W[:d].T + b[:d] + state @ U[:d].T + c[:d])
    z = torch.sigmoid(x @ W[d : 2 * d].T + b[d : 2 * d] + state @ U[d : 2 * d].T + c[d : 2 * d])
    n = torch.tanh(x @ W[2 * d :].T + b[2 * d :] + (r * state) @ U[2 * d :].T + c[2 * d :])
    return (1 - z) * n + z * state


def every_third_row(weights):
    return torch.cat([weights[0::3], weights[1::3], weights[2::3]])


@gru_step.mistake(
    "Your code reads the rows of the weights as r, z, n, r, z, n, and so on. They come in three blocks of d rows: "
    "first all of r, then all of z, then all of n."
)
def rows_in_turn(x, state, W, U, b, c):
    return recurrent.gru_step(x, state, *(every_third_row(each) for each in (W, U, b, c)))


@gru_step.mistake(
    "Your code has two mistakes. It reads the rows of the weights as r, z, n, r, z, n, and so on: they come in three "
    "blocks of d rows, first all of r, then all of z, then all of n. And your z is the share of the candidate; here it "
    "is the share of the old state: (1 - z) * n + z * h."
)
def rows_in_turn_and_share_of_the_candidate(x, state, W, U, b, c):
    W, U, b, c = (every_third_row(each) for each in (W, U, b, c))
    d = state.size(-1)
    r, z = torch.sigmoid(x @ W.T + b + state @ U.T + c)[:, : 2 * d].chunk(2, dim=-1)
    n = torch.tanh(x @ W[2 * d :].T + b[2 * d :] + r * (state @ U[2 * d :].T + c[2 * d :]))
    return z * n + (1 - z) * state


@gru_step.mistake(
    "Your code has two mistakes. r and z are exchanged: the first third of the weights belongs to r, the second "
    "to z. And in your candidate r multiplies the state before the matrix does; here it multiplies U_n h + c_n."
)
def exchanged_and_reset_before(x, state, W, U, b, c):
    def exchanged(weights):
        first, second, third = weights.chunk(3)
        return torch.cat([second, first, third])

    return reset_before(x, state, *(exchanged(each) for each in (W, U, b, c)))


@gru_step.mistake(
    "Your code has two mistakes. Your z is the share of the candidate; here it is the share of the old state: "
    "(1 - z) * n + z * h. And in your candidate r multiplies the state before the matrix does; here it multiplies "
    "U_n h + c_n.",
    seen="https://arxiv.org/abs/1412.3555",
)
def share_of_the_candidate_and_reset_before(x, state, W, U, b, c):
    d = state.size(-1)
    r = torch.sigmoid(x @ W[:d].T + b[:d] + state @ U[:d].T + c[:d])
    z = torch.sigmoid(x @ W[d : 2 * d].T + b[d : 2 * d] + state @ U[d : 2 * d].T + c[d : 2 * d])
    n = torch.tanh(x @ W[2 * d :].T + b[2 * d :] + (r * state) @ U[2 * d :].T + c[2 * d :])
    return z * n + (1 - z) * state


gru_step.patch(
    "Your candidate adds c_n after the product with r. r multiplies all that comes from the state: U_n h + c_n.",
    replace="x_n + r * h_n",
    by="x_n + r * (state @ U.chunk(3)[2].T) + c.chunk(3)[2]",
)


@gru_step.right_for_whole_course
def gate_by_gate(x, state, W, U, b, c):
    d = state.size(-1)
    r = torch.sigmoid(x @ W[:d].T + b[:d] + state @ U[:d].T + c[:d])
    z = torch.sigmoid(x @ W[d : 2 * d].T + b[d : 2 * d] + state @ U[d : 2 * d].T + c[d : 2 * d])
    n = torch.tanh(x @ W[2 * d :].T + b[2 * d :] + r * (state @ U[2 * d :].T + c[2 * d :]))
    return n + z * (state - n)


@gru_step.right
def by_torch(x, state, W, U, b, c):
    return torch.gru_cell(x, state, W, U, b, c)
