"""Byte pairs for large texts: learned by the tokenizers library, whose merges are those of `learn_merges`."""

import json
from collections.abc import Iterable

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from course_lib.text.byte_pairs import BytePairTokenizer, pieces


def learn_byte_pairs(texts: Iterable[str], merges: int) -> BytePairTokenizer:
    """Learn so many merges from texts, as `BytePairTokenizer.from_text` does, in seconds where that takes minutes.

    Of equally frequent pairs both take the same one, so the ids are the same.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=256 + merges, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator((piece for text in texts for piece in pieces(text)), trainer)
    ids = tokenizer.get_vocab()
    learned = json.loads(tokenizer.to_str())["model"]["merges"]
    return BytePairTokenizer([(ids[first], ids[second]) for first, second in learned])
