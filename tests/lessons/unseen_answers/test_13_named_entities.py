"""Unseen answers to the exercises of notebook 13_named_entities."""

from collections import Counter, defaultdict

from torch import nn

from course_lib.exercises.catalogue import find
from course_lib.scoring.entities import spans_of_tags
from tests.lessons.unseen_answers.wrong_answers import WrongAnswers

wrong = WrongAnswers()


@wrong("spans_of_tags", says="`lstrip` does that")
def with_lstrip(tags):
    return [(tags[start].lstrip("IB-"), start, stop) for _, start, stop in spans_of_tags(tags)]


@wrong("precision_recall_f1", says="at the same place in both lists")
def place_by_place(predicted, expected):
    both = sum(a == b for ours, theirs in zip(predicted, expected, strict=True) for a, b in zip(ours, theirs))  # noqa: B905
    found, there = sum(map(len, predicted)), sum(map(len, expected))
    precision, recall = both / max(1, found), both / max(1, there)
    return precision, recall, 2 * both / max(1, found + there)


@wrong("precision_recall_f1", says="even if it is expected in another sentence only")
def counters_of_all_sentences(predicted, expected):
    ours, theirs = (Counter(span for spans in each for span in spans) for each in (predicted, expected))
    both = (ours & theirs).total()
    return both / max(1, ours.total()), both / max(1, theirs.total()), 2 * both / max(1, (ours + theirs).total())


@wrong("precision_recall_f1", says="expected in another sentence only", never="reverse")
def found_in_any_sentence(predicted, expected):
    there = [span for spans in expected for span in spans]
    found = sum(span in there for spans in predicted for span in spans)
    precision, recall = found / max(1, sum(map(len, predicted))), found / max(1, len(there))
    return precision, recall, 2 * precision * recall / (precision + recall or 1)


@wrong("remembered_names", says="takes the first in the alphabet")
def by_the_alphabet(known, sentences):
    kinds = defaultdict(set)
    for sentence in known:
        for kind, start, stop in spans_of_tags(sentence.tags):
            kinds[tuple(sentence.words[start:stop])].add(kind)
    found = []
    for words in sentences:
        tags, i = ["O"] * len(words), 0
        while i < len(words):
            fitting = [j for j in range(len(words), i, -1) if tuple(words[i:j]) in kinds]
            stop = fitting[0] if fitting else i + 1
            if fitting:
                kind = min(kinds[tuple(words[i:stop])])
                tags[i:stop] = [f"B-{kind}", *[f"I-{kind}"] * (stop - i - 1)]
            i = stop
        found.append(tags)
    return found


@wrong("label_pieces", says="gives each label only once")
def each_label_once(word_of_piece, labels):
    found, left = [], [*dict.fromkeys(labels)]
    for word in word_of_piece:
        new = word is not None and labels[word] in left
        found.append(labels[word] if new else -100)
        if new:
            left.remove(labels[word])
    return found


@wrong("label_pieces", says="Your code gives word 0 no label. If it asks `if word`")
def begins_with_word_0(word_of_piece, labels):
    found, before = [], 0
    for word in word_of_piece:
        found.append(-100 if word is None or word == before else labels[word])
        before = before if word is None else word
    return found


@wrong("spans_of_tags", says="as if the last word came before the first", never="in all but")
def the_tag_before_from_the_end(tags):
    starts = [i for i, tag in enumerate(tags) if tag[0] == "B" or (tag[0] == "I" and tags[i - 1][2:] != tag[2:])]
    return [
        (tags[i][2:], i, next((j for j in range(i + 1, len(tags)) if tags[j] != f"I-{tags[i][2:]}"), len(tags)))
        for i in starts
    ]


@wrong("at_first_pieces", says="in all but the 2 where there are no special tokens", never="equal values")
def one_special_token_at_each_end(values, word_of_piece, words):
    inner = word_of_piece[1:-1]
    return [values[1 + inner.index(word)] for word in range(words)]


@wrong("precision_recall_f1", says="leaves out sentences in which nothing is predicted", never="is what precision")
def sentences_without_predictions_left_out(predicted, expected):
    both = found = there = 0
    for ours, theirs in zip(predicted, expected, strict=True):
        if not ours:
            continue
        both, found, there = both + len({*ours} & {*theirs}), found + len(ours), there + len(theirs)
    precision, recall = both / max(1, found), both / max(1, there)
    return precision, recall, 2 * precision * recall / (precision + recall or 1)


@wrong("TaggingHead", says="ends in a log-softmax over the pieces", never="and that")
class LogSoftmaxOverThePieces(find("TaggingHead").reference):
    def forward(self, hidden):
        return super().forward(hidden).log_softmax(1)


@wrong("at_first_pieces", says="Where a word's first piece has the value 0, your code takes that of a later piece.")
def first_value_that_counts_as_true(values, word_of_piece, words):
    result = [None] * words
    for value, word in zip(values, word_of_piece, strict=True):
        if word is not None and not result[word]:
            result[word] = value
    return result


@wrong("at_first_pieces", says="Count every piece, even those that belong to no word.", never="values of these too")
def positions_without_special_tokens(values, word_of_piece, words):
    pieces = [word for word in word_of_piece if word is not None]
    return [values[pieces.index(word)] for word in range(words)]


@wrong("spans_of_tags", says="Your kinds are the last three letters of the tags.", never="in all but")
def last_three_letters(tags):
    spans, start, kind = [], None, None
    for i, tag in enumerate([*tags, "O"]):
        if start is not None and tag != "I-" + tags[start][2:]:
            spans.append((kind, start, i))
            start, kind = None, None
        if tag != "O" and start is None:
            start, kind = i, tag[-3:]
    return spans


@wrong("TaggingHead", says="Your logits have the shape (B, K, S), as torch's cross-entropy expects it.")
class TagsFirst(find("TaggingHead").reference):
    def forward(self, hidden):
        return super().forward(hidden).transpose(1, 2)


@wrong(
    "TaggingHead",
    says="Your logits are what the right ones become after a ReLU.",
    never="In your logits",
)
class ReluAtTheEnd(find("TaggingHead").reference):
    def forward(self, hidden):
        return super().forward(hidden).relu()


@wrong("label_pieces", says="Your code writes −100 in place of the label 0.", never="too small")
def label_0_or_nothing(word_of_piece, labels):
    result, previous = [], None
    for word in word_of_piece:
        is_first = word is not None and word != previous
        result.append((is_first and labels[word]) or -100)
        previous = word
    return result


@wrong("spans_of_tags", says="your code begins it with the second, or loses it.", never="count words from 1")
def open_by_a_start_that_counts_as_true(tags):
    spans, start, kind = [], None, None
    for i, tag in enumerate([*tags, "O"]):
        if start and tag != "I-" + kind:
            spans.append((kind, start, i))
            start = None
        if tag != "O" and not start:
            start, kind = i, tag[2:]
    return spans


@wrong("spans_of_tags", says="Your code loses a name that begins with the first word.")
def closed_only_after_the_first_word(tags):
    spans, start, kind = [], None, ""
    for i, tag in enumerate([*tags, "O"]):
        if tag == "O" or tag[0] == "B" or tag[2:] != kind:
            if start:
                spans.append((kind, start, i))
            start, kind = (None, "") if tag == "O" else (i, tag[2:])
    return spans


@wrong("spans_of_tags", says="O ends a name: an `I-` after it begins another.")
def appended_to_the_last_name(tags):
    spans = []
    for i, tag in enumerate(tags):
        if tag == "O":
            continue
        letter, kind = tag.split("-")
        if letter == "I" and spans and spans[-1][0] == kind:
            spans[-1] = (kind, spans[-1][1], i + 1)
        else:
            spans.append((kind, i, i + 1))
    return spans


@wrong("remembered_names", says=("there may be more tags than words", "is shorter than n"))
def tags_past_the_end(known, sentences):
    counts = defaultdict(Counter)
    for sentence in known:
        for kind, start, stop in spans_of_tags(sentence.tags):
            counts[tuple(sentence.words[start:stop])][kind] += 1
    result = []
    for words in sentences:
        tags, i = [], 0
        while i < len(words):
            for n in range(max(map(len, counts), default=0), 0, -1):
                name = tuple(words[i : i + n])
                if name in counts:
                    tags += [f"B-{counts[name].most_common(1)[0][0]}"]
                    tags += [f"I-{counts[name].most_common(1)[0][0]}"] * (n - 1)
                    i += n
                    break
            else:
                tags.append("O")
                i += 1
        result.append(tags)
    return result


@wrong("label_pieces", says="Your code never labels the first piece.")
def from_piece_1_on(word_of_piece, labels):
    result = [-100] * len(word_of_piece)
    for i in range(1, len(word_of_piece)):
        word = word_of_piece[i]
        if word is not None and word != word_of_piece[i - 1]:
            result[i] = labels[word]
    return result


@wrong(
    "at_first_pieces",
    says="your result begins with the value of one, as if None were a word",
    never="in place of the last",
)
def none_as_a_key(values, word_of_piece, words):
    first = {}
    for value, word in zip(values, word_of_piece, strict=True):
        first.setdefault(word, value)
    return list(first.values())[:words]


@wrong("TaggingHead", says="Your logits lack the first and the last piece")
class WithoutSpecialTokens(nn.Module):
    def __init__(self, d_model, tags):
        super().__init__()
        self.classify = nn.Linear(d_model, tags)

    def forward(self, hidden):
        return self.classify(hidden[:, 1:-1])


@wrong("TaggingHead", says="the logits should be (B, S, K)", never="put numbers of its own")
class PiecesOfAllTexts(nn.Module):
    def __init__(self, d_model, tags):
        super().__init__()
        self.classify = nn.Linear(d_model, tags)

    def forward(self, hidden):
        return self.classify(hidden).flatten(0, 1)[:-1]


@wrong("spans_of_tags", says="an `I-` of another kind ends a name, but begins none", never="after O")
def other_kind_closes_only(tags):
    spans, start = [], None
    for i, tag in enumerate([*tags, "O"]):
        if start is None:
            start = i if tag != "O" else None
            continue
        kind = tags[start][2:]
        if tag == f"I-{kind}":
            continue
        spans.append((kind, start, i))
        start = i if tag.startswith("B-") else None
    return spans


@wrong("spans_of_tags", says="Your code drops an `I-` that continues no name.", never="no `B-` before")
def only_from_begin_on(tags):
    spans, i = [], 0
    while i < len(tags):
        stop = i + 1
        if tags[i].startswith("B-"):
            while stop < len(tags) and tags[stop] == f"I-{tags[i][2:]}":
                stop += 1
            spans.append((tags[i][2:], i, stop))
        i = stop
    return spans


@wrong("TaggingHead", says="hidden features below 0 count as 0", never="has a ReLU")
class ClampsTheHiddenStates(find("TaggingHead").reference):
    def forward(self, hidden):
        return super().forward(hidden.clamp(min=0))


test_a_wrong_answer_is_refused_in_two_seconds_with_what_is_true_of_it = wrong.test()
