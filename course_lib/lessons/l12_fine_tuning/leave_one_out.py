"""The exercise `leave_one_out` of notebook 12."""

import itertools

import torch

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.learning import heads

VALUES = {"not": -1.5, "a": 0.25, "good": 2.0, "film": 0.5, "at": 0.125, "all": -0.25}


def points(words):
    """Score a text by its words, and by what stands side by side. Other words count 0."""
    words = list(words)
    beside = sum(3.0 for pair in itertools.pairwise(words) if pair == ("not", "good"))
    return sum(VALUES.get(word, 0.0) for word in words) - beside + 4.0


def per_word(words):
    """The mean value of the words, 0 for none."""
    words = list(words)
    return sum(VALUES.get(word, 0.0) for word in words) / max(1, len(words))


def by_places(words):
    """The value of each word times its place, counted from 1."""
    return sum(place * VALUES.get(word, 0.0) for place, word in enumerate(words, start=1))


leave_one_out = Exercise(
    reference=heads.leave_one_out,
    notebook=12,
    order=80,
    minutes=6,
    difficulty=1,
    returns=(Result("the effects of the words", "number of words", any_precision=True),),
    example=case(points, ["not", "good", "at", "all"]),
    another=case(points, ["a", "good", "film", "all"]),
    cases=(
        case(points, ["good"], having=("a single word",)),
        case(per_word, ["a", "all", "good"], having=("a score of 0", "a score that depends on the number of words")),
        case(points, ["a", "good", "good", "film"], having=("a word that occurs twice",)),
        case(
            points,
            ["good", "film", "not", "good"],
            having=("a word that occurs twice", "the same word at both ends"),
        ),
        case(per_word, ["a", "not", "film"], having=("a score that depends on the number of words",)),
        case(
            per_word,
            ["good", "a", "good"],
            having=(
                "the same word at both ends",
                "a word that occurs twice",
                "a score that depends on the number of words",
            ),
        ),
        case(by_places, ["not", "a", "good", "film"], having=("a score that depends on the places of the words",)),
    ),
    hints=(
        "Score the whole text once. Then leave out one word after the other, by its position.",
        "`words[:i] + words[i + 1:]` are all words but the one at position i.",
        "What a word adds: the score with it minus the score without it. Put the differences into a tensor.",
    ),
)


@leave_one_out.mistake(
    "Your signs are the wrong way round. A word that raises the score should get a positive number: the score with it "
    "minus the score without it."
)
def signs(score, words):
    return -heads.leave_one_out(score, words)


@leave_one_out.mistake(
    "Your code returns the scores without each word. Subtract them from the score of the whole text."
)
def scores_only(score, words):
    return torch.tensor([score(words[:i] + words[i + 1 :]) for i in range(len(words))])


@leave_one_out.mistake(
    "Your result is what comes out when another word, such as an empty one, takes the place of each. The list then has "
    "as many words as before, and the neighbours of the word stay apart: leave out the position, `words[:i] + words[i "
    "+ 1:]`."
)
def empty_word(score, words):
    return torch.tensor([score(words) - score([*words[:i], "", *words[i + 1 :]]) for i in range(len(words))])


@leave_one_out.mistake(
    "Your code scores each word alone. A word's effect depends on its neighbours: leave it out of the whole text."
)
def each_alone(score, words):
    return torch.tensor([score([word]) for word in words])


@leave_one_out.mistake(
    "Your code leaves out every copy of a word that occurs more than once. Leave out one position: `words[:i] + "
    "words[i + 1:]`."
)
def by_value(score, words):
    return torch.tensor([score(words) - score([w for w in words if w != word]) for word in words])


@leave_one_out.mistake(
    "Your code leaves out the first copy of a word that occurs more than once. Leave out position i: "
    "`words[:i] + words[i + 1:]`."
)
def first_copy(score, words):
    def without(word):
        rest = list(words)
        rest.remove(word)
        return rest

    return torch.tensor([score(words) - score(without(word)) for word in words])


@leave_one_out.mistake(
    "Your code cuts the text off at each word. Keep what comes after it: `words[:i] + words[i + 1:]`."
)
def cut_off(score, words):
    return torch.tensor([score(words) - score(words[:i]) for i in range(len(words))])


@leave_one_out.mistake(
    "Your code measures how much the score grows word by word. Leave each word out of the whole text."
)
def growing(score, words):
    return torch.tensor([score(words[: i + 1]) - score(words[:i]) for i in range(len(words))])


@leave_one_out.mistake(
    "In your code, the words that were left out stay out: each text is compared with the one that has one word more. "
    "Leave each word out of the whole text: `words[:i] + words[i + 1:]`."
)
def left_out_for_good(score, words):
    return torch.tensor([score(words[i:]) - score(words[i + 1 :]) for i in range(len(words))])


@leave_one_out.mistake("In your code, the words before each are left out too. Keep them: `words[:i] + words[i + 1:]`.")
def words_before_left_out(score, words):
    return torch.tensor([score(words) - score(words[i + 1 :]) for i in range(len(words))])


@leave_one_out.mistake(
    "Your code returns how much the score changes, without the sign. Keep the sign: a word may lower the score."
)
def without_sign(score, words):
    return heads.leave_one_out(score, words).abs()


@leave_one_out.mistake(
    "Your code leaves out the next word as well. Leave out position i alone: `words[:i] + words[i + 1:]`."
)
def two_at_once(score, words):
    return torch.tensor([score(words) - score(words[:i] + words[i + 2 :]) for i in range(len(words))])


@leave_one_out.mistake(
    "In your code, the order of the words changes along the way: each word is taken out, and put back at the front. "
    "Leave the list as it is: `words[:i] + words[i + 1:]` makes a new one."
)
def put_back_at_the_front(score, words):
    whole, added = score(words), []
    for i in range(len(words)):
        word = words.pop(i)
        added.append(whole - score(words))
        words.insert(0, word)
    return torch.tensor(added)


@leave_one_out.mistake(
    "In your code, the order of the words changes along the way: each word is taken out, and put back at the end. "
    "Leave the list as it is: `words[:i] + words[i + 1:]` makes a new one."
)
def put_back_at_the_end(score, words):
    whole, added = score(words), []
    for i in range(len(words)):
        word = words.pop(i)
        added.append(whole - score(words))
        words.append(word)
    return torch.tensor(added)


@leave_one_out.right_for_whole_course
def in_a_loop(score, words):
    whole, added = score(words), []
    for i in range(len(words)):
        rest = words.copy()
        del rest[i]
        added.append(whole - score(rest))
    return torch.tensor(added)


@leave_one_out.right
def by_enumeration(score, words):
    rests = [[word for j, word in enumerate(words) if j != i] for i in range(len(words))]
    return score(words) - torch.tensor([score(rest) for rest in rests])


@leave_one_out.mistake(
    "Where a word is left out, the others should keep their order. In your code, they do not: those after the word "
    "come first."
)
def the_rest_turned_round(score, words):
    return torch.tensor([score(words) - score(words[i + 1 :] + words[:i]) for i in range(len(words))])
