"""Lesson 03 on paper: the first two merges of byte-pair encoding."""

from course_lib.classroom.teaching.paper import Formula, Paper, Question, Table
from course_lib.text.byte_pairs import apply_merges, count_pairs, learn_merges, merge_pair

COUNTS = {"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5}
NEW_WORD = "bugs"
# In the order in which the pairs stand in the table, so that ties, of which there are none here, would not matter.
LETTERS = "hugpnbs"
MERGES = 2


def paper() -> Paper:
    """Make the exercise and its answers."""
    words = {_ids(word): count for word, count in COUNTS.items()}
    pairs = count_pairs(words)
    merges = learn_merges(words, MERGES)
    names = [*LETTERS]
    names += [""] * (256 - len(names))  # ids of merges begin at 256
    for left, right in merges:
        names.append(names[left] + names[right])
    once = {tuple(merge_pair(word, merges[0], 256)): count for word, count in words.items()}
    again = count_pairs(once)
    where = {
        pair: ", ".join(word for word in COUNTS if pair in set(zip(_ids(word), _ids(word)[1:], strict=False)))
        for pair in pairs
    }
    split = " ".join(names[i] for i in apply_merges(_ids(NEW_WORD), merges))

    def row(pair: tuple[int, int], count: str) -> tuple[str, ...]:
        return f"{names[pair[0]]} {names[pair[1]]}", where[pair], count

    ranked = sorted(again, key=lambda pair: -again[pair])
    second = " ".join(names[i] for i in merges[1])
    return Paper(
        formula=Formula(
            (r"\mathrm{next\ merge}=\mathrm{argmax}_{(a,b)}\;\sum_{w}\;n_w\cdot\mathrm{count}(ab\ \mathrm{in}\ w)",),
            "Sennrich, Haddow and Birch 2016, arXiv:1508.07909, section 3.2",
        ),
        task="A tiny text has these words: "
        + ", ".join(f"{word} {count} times" for word, count in COUNTS.items())
        + ". Start with single letters.",
        questions=(
            Question(
                "How often does each pair of letters stand side by side? The first is done.",
                Table(("pair", "in", "how often"), tuple(row(pair, str(pairs[pair])) for pair in pairs)),
                Table(
                    ("pair", "in", "how often"),
                    tuple(row(pair, str(pairs[pair]) if n == 0 else "") for n, pair in enumerate(pairs)),
                ),
                room=0,
            ),
            Question(
                "Which pair is merged first?",
                f"{' '.join(names[i] for i in merges[0])}, since it is the most frequent: {pairs[merges[0]]} times.",
                room=1,
            ),
            Question(
                "It is one token from now on. Count again: which pair is merged second?",
                f"{second}, with {again[merges[1]]}. The next most frequent is "
                f"{' '.join(names[i] for i in ranked[1])}, with {again[ranked[1]]}.",
                room=3,
            ),
            Question(
                f"How is “{NEW_WORD}”, which is not in the text, split by these two merges?",
                f"{split}. Nothing is unknown, as long as its letters are known.",
                room=1,
            ),
        ),
    )


def _ids(word: str) -> tuple[int, ...]:
    return tuple(LETTERS.index(letter) for letter in word)
