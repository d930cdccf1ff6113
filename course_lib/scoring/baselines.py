"""What costs nothing: cheap translations, cheap alignments and the losses of counting, to compare a model with."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

from course_lib.data.grammar import Pair
from course_lib.scoring.metrics import Link
from course_lib.scoring.ngrams import NGrams


def word_by_word(known: Sequence[Pair], pairs: Sequence[Pair]) -> list[tuple[str, ...]]:
    """Translate each English word on its own, and keep the English order.

    A word becomes the French words that it is most often aligned with in the `known` pairs; a word that does not occur
    there is left out. Returns the French words of each of `pairs`.
    """
    counts: defaultdict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
    for pair in known:
        for i, word in enumerate(pair.english):
            counts[word][tuple(french for j, french in enumerate(pair.french) if (i, j) in pair.alignment)] += 1
    dictionary = {word: translations.most_common(1)[0][0] for word, translations in counts.items()}
    return [tuple(french for word in pair.english for french in dictionary.get(word, ())) for pair in pairs]


def nearest_neighbours(known: Sequence[tuple[str, str]], sentences: Sequence[str]) -> list[str]:
    """Translate each sentence by the translation of the known sentence that is most like it.

    How alike two sentences are is the cosine of their counts of words and pairs of words, rare ones weighing more
    (TF-IDF). Takes pairs of a known sentence and its translation, and the sentences to translate.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer  # it takes time to load

    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")
    of_known = vectorizer.fit_transform([sentence for sentence, _ in known])
    alike = vectorizer.transform(sentences) @ of_known.T
    return [known[int(row.argmax())][1] for row in alike]


def diagonal(pair: Pair) -> set[Link]:
    """Align each French word with the English word at the same relative position in the sentence."""
    steps = max(len(pair.french) - 1, 1)
    return {(round(j * (len(pair.english) - 1) / steps), j) for j in range(len(pair.french))}


def least_loss(text: str, context: int) -> float:
    """Give the lowest loss on a text, in nats per character, of any model that sees only the last few characters.

        H = -Σ count(context, c) / N · ln (count(context, c) / count(context))

    It is the loss of a table that was counted on that very text, so a table counted on another text is worse.

    Takes the text, and how many characters before each the model sees. Raises ValueError for a negative context, or a
    text that is not longer than it.

    >>> round(least_loss("ababab", context=0) / math.log(2), 3), least_loss("ababab", context=1)
    (1.0, 0.0)
    """
    if not 0 <= context < len(text):
        raise ValueError(f"context should be 0 or more, and less than the {len(text)} characters, but is {context}")
    spans = Counter(text[i : i + context + 1] for i in range(len(text) - context))
    contexts: Counter[str] = Counter()
    for span, count in spans.items():
        contexts[span[:-1]] += count
    surprise = sum(count * math.log(contexts[span[:-1]] / count) for span, count in spans.items())
    return surprise / spans.total()


def loss_baselines(text: str, characters: int) -> dict[str, float]:
    """List what the loss of a language model on a text is to be compared with, in nats per character.

    Takes the text, and how many different characters the model knows.
    """
    return {
        f"chance: {characters} equally likely characters": math.log(characters),
        "the lowest loss of a model that sees nothing (unigram)": least_loss(text, context=0),
        "the lowest loss of a model that sees one character (bigram)": least_loss(text, context=1),
    }


def ngram_baselines(known: Sequence[int], windows: Sequence[Sequence[int]], vocabulary: int) -> dict[str, float]:
    """Measure what counting achieves on windows of a text, in nats per token: what a language model has to beat.

    Takes the ids to count, the windows to test on, (N, T + 1), and V. The first token of each window is given and the
    others are predicted, each from those before it in the window, as a language model predicts them.

    Returns the loss of even bets, and of unigrams, bigrams and smoothed 5-grams.
    """
    losses = {"ln V": math.log(vocabulary)}
    for n, name in ((1, "unigram"), (2, "bigram"), (5, "5-gram")):
        counts = NGrams(known, n, vocabulary)
        surprises = [-math.log(counts.probability(row[:t], row[t])) for row in windows for t in range(1, len(row))]
        losses[name] = sum(surprises) / len(surprises)
    return losses
