"""The sentences that people translated: how they are cleaned, and that nothing of the test is in training."""

import pytest

from course_lib import data
from course_lib.data import translations
from course_lib.data.translations import SentencePair, Source, clean, clean_french, divide, group, one_word_away, plain


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Cours\u202f!", "Cours !"),
        ("Mets-toi à l'abri\xa0!", "Mets-toi à l'abri !"),
        ("Recule\u2009!", "Recule !"),
        ("C’est triste.", "C'est triste."),
        ("«Non», dit-il?", "« Non », dit-il ?"),
        ("Tu me prends pour qui ?!", "Tu me prends pour qui ?!"),
        ("J'ai un rendez-vous à 14:30.", "J'ai un rendez-vous à 14:30."),
        ("Dis : «s'il te plaît».", "Dis : « s'il te plaît »."),
        ("e\u0301te\u0301", "été"),
        ("", ""),
    ],
)
def test_french_is_written_in_one_way(text: str, cleaned: str):
    assert clean_french(text) == cleaned
    assert clean_french(cleaned) == cleaned


def test_english_marks_need_no_space():
    assert clean("Run !\u200b  Now…") == "Run ! Now..."
    assert clean("What’s  that?") == "What's that?"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("I'm cold.", "I am cold!"),
        ("You can't go.", "you cannot go"),
        ("Don't go, Tom.", "Do not go, Mary."),
        ("Tom's here.", "Mary is here."),
        ("He's 3 years old.", "He is 42 years old."),
        ("Let's eat!", "Let us eat."),
        ("They'll win.", "They will win."),
    ],
)
def test_twins_are_in_one_group(one: str, other: str):
    assert group(one) == group(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("I am cold.", "I am old."),
        ("The king's here.", "The king is here."),
        ("Is he here?", "He is here."),
        ("There are 3.", "There are three."),
    ],
)
def test_other_sentences_are_not(one: str, other: str):
    assert group(one) != group(other)


def few() -> list[SentencePair]:
    sentences = [("I'm cold.", "J'ai froid."), ("I am cold!", "J'ai froid !"), ("Go.", "Va."), ("Run.", "Va !")]
    return [SentencePair(*each) for each in sentences] + [SentencePair(f"Say {w}.", f"Dis {w}.") for w in "abcdef"]


@pytest.mark.parametrize("seed", range(20))
def test_neither_a_twin_nor_its_french_is_in_two_parts(seed: int):
    split = divide(few(), seed, validation=2, test=3)
    held_out = [*split.validation, *split.test]
    assert [len(split.validation), len(split.test)] == [2, 3]
    keys = [group(source.english) for source in held_out]
    assert len(set(keys)) == 5
    assert not set(keys) & {group(pair.english) for pair in split.train}
    french = {plain(text) for source in held_out for text in source.references}
    assert not french & {plain(pair.french) for pair in split.train}


def test_a_source_has_all_translations_of_its_own_words():
    pairs = [
        SentencePair("Tom ran.", "Tom a couru."),
        SentencePair("Mary ran.", "Marie a couru."),
        SentencePair("Tom ran!", "Tom courut."),
        SentencePair("x", "y"),
    ]
    sources = {source.english: source.references for source in divide(pairs, 0, 0, 1).test}
    assert sources in ({"Tom ran.": ("Tom a couru.", "Tom courut.")}, {"x": ("y",)})


def test_a_larger_test_set_contains_a_smaller_one():
    small, large = (divide(few(), 0, validation=0, test=n).test for n in (2, 4))
    assert large[:2] == small


@pytest.mark.parametrize(("validation", "test"), [(-1, 2), (2, -1), (4, 5)])
def test_a_split_that_leaves_nothing_is_refused(validation: int, test: int):
    with pytest.raises(ValueError, match="leave nothing to learn from: ask for fewer"):
        divide(few(), 0, validation, test)


@pytest.mark.parametrize(
    ("sentence", "known", "near"),
    [
        ("I like tea.", "I like coffee.", True),
        ("I like tea.", "I like hot tea!", True),
        ("I like hot tea.", "I like tea.", True),
        ("I'm cold.", "I am cold.", True),
        ("Tom has 2 cats.", "Mary has 31 dogs.", True),
        ("I like tea.", "You like coffee.", False),
        ("I like tea.", "Tea I like.", False),
        ("I like tea.", "like tea I like", False),
        ("Go.", "Run!", True),
    ],
)
def test_a_sentence_is_near_if_one_word_makes_the_difference(sentence: str, known: str, near: bool):
    assert one_word_away([sentence, "Something else entirely, I say."], [known]) == ({sentence} if near else set())


@pytest.fixture(scope="module")
def real() -> translations.Split:
    try:
        data.fetch("translations")
    except data.Offline as error:
        pytest.skip(str(error))
    return translations.split()


def test_the_real_pairs_have_no_twin_in_two_parts(real: translations.Split):
    pairs = translations.load()
    assert len(pairs) == len(set(pairs)) == 142_603
    assert [len(real.train), len(real.validation), len(real.test)] == [137_696, 1_000, 2_000]
    held_out = [*real.validation, *real.test]
    assert not {group(source.english) for source in held_out} & {group(pair.english) for pair in real.train}
    french = {plain(text) for source in held_out for text in source.references}
    assert not french & {plain(pair.french) for pair in real.train}
    assert all(source.references for source in held_out)


def test_a_third_of_the_real_test_sources_is_one_word_from_what_is_learned(real: translations.Split):
    near = one_word_away([source.english for source in real.test], [pair.english for pair in real.train])
    assert len(near) == 702


def test_a_loss_is_measured_on_the_first_reference_of_each_source():
    sources = [Source("Go.", ("Va !", "Allez !")), Source("Run.", ("Cours !",))]
    expected = [SentencePair("Go.", "Va !"), SentencePair("Run.", "Cours !")]
    assert translations.with_first_reference(sources) == expected
