"""The exercise `at_first_pieces` of notebook 13."""

from collections import Counter

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.learning import word_pieces

at_first_pieces = Exercise(
    reference=word_pieces.at_first_pieces,
    notebook=13,
    order=50,
    minutes=5,
    difficulty=1,
    returns=(Result("the values of the words"),),
    example=case([9, 3, 4, 0, 5, 9], [None, 0, 0, 1, 2, None], 3),
    another=case([8, 7, 4, 6, 0, 8], [None, 0, 1, 1, 2, None], 3),
    cases=(
        case([9, 1, 2, 3, 4, 5, 9], [None, 0, 1, 1, 1, 1, None], 2, having=("a word of four pieces",)),
        case([9, 2, 6, 6, 1, 9], [None, 0, 0, 0, 1, None], 2, having=("pieces that agree against the first",)),
        case([9, 0, 2, 4, 3, 9], [None, 0, 0, 1, 1, None], 2, having=("a first value of 0",)),
        case([9, 3, 3, 3, 0, 9], [None, 0, 1, 1, 2, None], 3, having=("words of equal values",)),
        case([9, 1, 5, 9, 2, 6, 9], [None, 0, 0, None, 1, 1, None], 2, having=("a special token in the middle",)),
        case([2, 7, 0, 5], [0, 1, 1, 2], 3, having=("no special tokens",)),
        case(["B-PER", "O"], [0, 0], 1, having=("no special tokens", "a single word", "tags in place of numbers")),
        case(["?", "B-PER", "O", "?"], [None, 0, 0, None], 1, having=("tags in place of numbers", "a single word")),
        case([0, 0], [None, None], 0, having=("no words",)),
    ),
    hints=(
        "Which piece of a word did the model learn to label? Its predictions for the others mean nothing.",
        "Go through values and words side by side, and keep a value only where a word occurs for the first time.",
        "`word_of_piece.index(word)` is the number of a word's first piece.",
    ),
)


@at_first_pieces.mistake(
    "Your result has the values of all pieces of a word. The model learned to label first pieces only: its "
    "predictions for the others mean nothing.",
    seen="https://github.com/huggingface/transformers/pull/10568",
)
def all_pieces(values, word_of_piece, words):
    return [value for value, word in zip(values, word_of_piece, strict=True) if word is not None]


@at_first_pieces.mistake("Your values are those of each word's last piece. The model learned to label the first.")
def last_pieces(values, word_of_piece, words):
    return word_pieces.at_first_pieces(values[::-1], word_of_piece[::-1], words)


@at_first_pieces.mistake(
    "Your result takes the first values of the list, special tokens included, as if each word had only one piece. "
    "Which word a piece belongs to is in `word_of_piece`."
)
def first_values(values, word_of_piece, words):
    return values[:words]


@at_first_pieces.mistake(
    "Your result takes the first values that do not belong to special tokens, as if each word had only one piece. "
    "Which word a piece belongs to is in `word_of_piece`."
)
def first_values_of_words(values, word_of_piece, words):
    return all_pieces(values, word_of_piece, words)[:words]


@at_first_pieces.mistake(
    "Your result has the values of special tokens as well. They belong to no word: leave them out."
)
def special_tokens_too(values, word_of_piece, words):
    befores = ["nothing", *word_of_piece]
    return [
        value
        for before, word, value in zip(befores, word_of_piece, values, strict=False)
        if word is None or word != before
    ]


@at_first_pieces.mistake(
    "Your value for a word is the one that most of its pieces have. Only first pieces learned a label: read that one.",
)
def by_vote(values, word_of_piece, words):
    pairs = [*zip(word_of_piece, values, strict=True)]
    return [Counter(value for word, value in pairs if word == each).most_common(1)[0][0] for each in range(words)]


@at_first_pieces.mistake(
    "Your positions of first pieces are counted without the special tokens, but `values` includes theirs. Count every "
    "piece, even those that belong to no word."
)
def counted_without_special_tokens(values, word_of_piece, words):
    of_words = [word for word in word_of_piece if word is not None]
    return [values[of_words.index(word)] for word in range(words)]


@at_first_pieces.mistake(
    "Your result leaves out a word whose value is that of the word before. Each word has its own value."
)
def changes_only(values, word_of_piece, words):
    found = word_pieces.at_first_pieces(values, word_of_piece, words)
    return [each for i, each in enumerate(found) if i == 0 or each != found[i - 1]]


@at_first_pieces.mistake(
    "Your result lacks the first piece if the last one is of the same word, as if the last came before the first. "
    "`word_of_piece[i - 1]` is the last where i is 0: the first piece has none before it."
)
def last_piece_before_the_first(values, word_of_piece, words):
    before = [*word_of_piece[-1:], *word_of_piece]
    return [value for i, value in enumerate(values) if word_of_piece[i] is not None and word_of_piece[i] != before[i]]


@at_first_pieces.mistake(
    "Where there are special tokens, your result begins with the value of one, as if None were a word. Leave out "
    "pieces whose word is None."
)
def special_token_first(values, word_of_piece, words):
    return [value for i, value in enumerate(values) if word_of_piece[i] not in word_of_piece[:i]]


@at_first_pieces.mistake(
    "Where there are special tokens, your result begins with the value of one, as if None were a word, so that of "
    "the last word is missing. Leave out pieces whose word is None."
)
def special_token_for_a_word(values, word_of_piece, words):
    return special_token_first(values, word_of_piece, words)[:words]


@at_first_pieces.mistake(
    "Where a word's first piece has the value 0, your code takes that of a later piece. If it asks whether a value is "
    "there yet, note that 0 counts as false: compare with None."
)
def value_0_is_none(values, word_of_piece, words):
    found = [None] * words
    for word, value in zip(word_of_piece, values, strict=True):
        if word is not None:
            found[word] = found[word] or value
    return found


@at_first_pieces.right_for_whole_course
def by_looking_each_up(values, word_of_piece, words):
    return [values[word_of_piece.index(word)] for word in range(words)]


@at_first_pieces.right
def by_overwriting(values, word_of_piece, words):
    found = dict(zip(word_of_piece[::-1], values[::-1], strict=True))
    return [found[word] for word in range(words)]


@at_first_pieces.mistake(
    "Your result has no value for word 0. If your code asks `if word`, note that 0 counts as false: write `if word is "
    "not None`."
)
def word_0_counts_as_none(values, word_of_piece, words):
    return word_pieces.at_first_pieces(values, word_of_piece, words)[1:]


@at_first_pieces.mistake(
    "Your result has None for word 0. If your code asks `if word`, note that 0 counts as false: write `if word is not "
    "None`."
)
def none_for_word_0(values, word_of_piece, words):
    return [None, *word_0_counts_as_none(values, word_of_piece, words)][:words]
