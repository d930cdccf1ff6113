"""The exercise `label_pieces` of notebook 13."""

import itertools

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.learning import word_pieces

label_pieces = Exercise(
    reference=word_pieces.label_pieces,
    notebook=13,
    order=40,
    minutes=6,
    difficulty=2,
    returns=(Result("the labels"),),
    example=case([None, 0, 0, 1, 2, None], [3, 0, 5]),
    another=case([None, 0, 1, 1, 2, None], [7, 4, 0]),
    cases=(
        case([None, 0, 1, 2, 2, 2, 2, None], [0, 3, 4], having=("a word of four pieces",)),
        case([None, 0, 1, 1, 2, 3, 3, None], [3, 3, 3, 0], having=("words side by side with one label",)),
        case([None, 0, 0, 1, 2, 2, None], [3, 0, 3], having=("a label that occurs again later",)),
        case([0, 0, 1], [2, 1], having=("no special tokens",)),
        case([0, 0], [4], having=("no special tokens", "a single word")),
        case([None, 0, 0, None, 1, 1, None], [5, 6], having=("a special token in the middle",)),
        case([None, 0, None], [8], having=("a single word",)),
        case([None, 0, 0, 1, 1, None], [0, 0], having=("label 0 only", "words side by side with one label")),
        case([None, None], [], having=("no words",)),
    ),
    hints=(
        "Write the labels of the example below its pieces on paper. Which pieces get none?",
        (
            "A piece is the first of its word if the piece before it belongs to another word, or to none. All others, "
            "and special tokens, get −100."
        ),
        (
            "Go through `word_of_piece` and remember the word before: where the word is None or the same as before, "
            "append −100, otherwise `labels[word]`."
        ),
    ),
)


@label_pieces.mistake(
    "Your code labels every piece of a word. Label the first, and give the others −100: otherwise a name of one word "
    "and three pieces begins three times."
)
def every_piece(word_of_piece, labels):
    return [-100 if word is None else labels[word] for word in word_of_piece]


@label_pieces.mistake(
    "Your result has a 0 where a piece does not count, and 0 is a label itself: O. Write −100 there, which the loss "
    "leaves out.",
    seen="https://github.com/dsindex/ntagger/issues/1",
)
def filled_with_0(word_of_piece, labels):
    return [0 if label == -100 else label for label in word_pieces.label_pieces(word_of_piece, labels)]


@label_pieces.mistake(
    "Your code gives special tokens the label 0, which is O. They are not words: give them −100 as well."
)
def special_tokens_outside(word_of_piece, labels):
    found = word_pieces.label_pieces(word_of_piece, labels)
    return [0 if word is None else label for word, label in zip(word_of_piece, found, strict=True)]


@label_pieces.mistake(
    "Your code gives a word's further pieces the label 0, which is O. They should get −100, so that they do not count."
)
def further_pieces_outside(word_of_piece, labels):
    found = word_pieces.label_pieces(word_of_piece, labels)
    return [
        0 if word is not None and label == -100 else label for word, label in zip(word_of_piece, found, strict=True)
    ]


@label_pieces.mistake("Your code labels the last piece of each word. Label the first.")
def last_piece(word_of_piece, labels):
    return word_pieces.label_pieces(word_of_piece[::-1], labels)[::-1]


@label_pieces.mistake(
    "Your code labels only words whose label differs from that of the word before, so that two words side by side "
    "with one label look like one. Check whether the *word* changes."
)
def where_the_label_changes(word_of_piece, labels):
    found, before = [], None
    for word in word_of_piece:
        label = None if word is None else labels[word]
        found.append(-100 if label is None or label == before else label)
        before = label
    return found


@label_pieces.mistake(
    "Your code gives each label only once: a later word with the same label gets none. Check whether the *word* is a "
    "new one, not whether its label is."
)
def where_the_label_is_new(word_of_piece, labels):
    found, seen = [], set()
    for word in word_of_piece:
        new = word is not None and labels[word] not in seen
        found.append(labels[word] if new else -100)
        seen |= {labels[word]} if new else set()
    return found


@label_pieces.mistake(
    "Your code writes the labels one after another, as if each word were one piece. Which word a piece belongs to is "
    "in `word_of_piece`."
)
def one_after_another(word_of_piece, labels):
    places = [i for i, word in enumerate(word_of_piece) if word is not None]
    found = [-100] * len(word_of_piece)
    for place, label in zip(places, labels, strict=False):
        found[place] = label
    return found


@label_pieces.mistake(
    "Your code leaves special tokens out, so that the labels are shifted against the pieces. Return one label for each "
    "piece, −100 for a special token."
)
def without_special_tokens(word_of_piece, labels):
    found = word_pieces.label_pieces(word_of_piece, labels)
    return [label for word, label in zip(word_of_piece, found, strict=True) if word is not None]


@label_pieces.mistake("Your code returns the labels of the words. Return one label for each piece.")
def of_words(word_of_piece, labels):
    return list(labels)


@label_pieces.mistake("Your code writes −1 where a piece does not count. The loss leaves out −100.")
def minus_one(word_of_piece, labels):
    return [-1 if label == -100 else label for label in word_pieces.label_pieces(word_of_piece, labels)]


@label_pieces.mistake("Your code writes None where a piece does not count. The loss needs numbers: write −100.")
def nothing(word_of_piece, labels):
    return [None if label == -100 else label for label in word_pieces.label_pieces(word_of_piece, labels)]


@label_pieces.mistake(
    "Your code labels only words of a single piece. A longer word has its label too, on its first piece."
)
def whole_words_only(word_of_piece, labels):
    return [-100 if word is None or word_of_piece.count(word) > 1 else labels[word] for word in word_of_piece]


@label_pieces.mistake(
    "Your code gives word 0 no label. If it asks `if word`, note that 0 counts as false: write `if word is not None`."
)
def word_0_is_none(word_of_piece, labels):
    found = word_pieces.label_pieces(word_of_piece, labels)
    return [label if word else -100 for word, label in zip(word_of_piece, found, strict=True)]


@label_pieces.mistake(
    "Your code writes −100 in place of the label 0. That label is O, which the model has to learn too: if your code "
    "asks whether there is a label, as `labels[word] or …` does, note that 0 counts as false."
)
def label_0_is_none(word_of_piece, labels):
    return [label or -100 for label in word_pieces.label_pieces(word_of_piece, labels)]


@label_pieces.mistake(
    "Your code gives the first piece no label if the last one is of the same word, as if the last came before the "
    "first. `word_of_piece[i - 1]` is the last where i is 0: the first piece has none before it."
)
def last_piece_before_the_first(word_of_piece, labels):
    pairs = zip([*word_of_piece[-1:], *word_of_piece], word_of_piece, strict=False)
    return [labels[word] if word is not None and word != before else -100 for before, word in pairs]


@label_pieces.mistake(
    "Your code never labels the first piece. Where no special token comes first, that piece begins a word, and has the "
    "word's label."
)
def first_piece_without_label(word_of_piece, labels):
    return [-100, *word_pieces.label_pieces(word_of_piece, labels)[1:]]


@label_pieces.right_for_whole_course
def by_the_piece_before(word_of_piece, labels):
    pairs = zip([None, *word_of_piece], word_of_piece, strict=False)
    return [labels[word] if word is not None and word != before else -100 for before, word in pairs]


@label_pieces.right
def by_groups(word_of_piece, labels):
    found = []
    for word, pieces in itertools.groupby(word_of_piece):
        found += [-100 if word is None else labels[word], *[-100] * (len([*pieces]) - 1)]
    return found


@label_pieces.right
def by_index(word_of_piece, labels):
    found = [-100] * len(word_of_piece)
    for word, label in enumerate(labels):
        found[word_of_piece.index(word)] = label
    return found
