"""Faults that rules find in French, and right French in which they find none."""

import pytest

from course_lib import data
from course_lib.data import translations
from course_lib.scoring.translation_errors import KINDS, faults, is_too_short, repeated, unshortened


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Je ai faim.", ["Je ai"]),
        ("Il ne est pas là.", ["ne est"]),
        ("La école de Anne", ["La école", "de Anne"]),
        ("Je sais que il ment, si il parle.", ["que il", "si il"]),
        ("Il me a vu, je te aime.", ["me a", "te aime"]),
        ("parce que elle dort", ["que elle"]),
        ("J'ai faim, et je n'ai pas d'eau.", []),
        ("si elle vient, si on veut", []),
        ("le onze mai, le oui et le yaourt", []),
        ("Donne-le à Anne. Dis-le avec moi.", []),
        ("une idée, elle est là", []),
        ("le héros, la haine", []),
        ("Il aide un homme à onze heures.", []),
    ],
)
def test_what_french_would_shorten_is_found(text: str, found: list[str]):
    assert unshortened(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("un plus plus grand", ["plus"]),
        ("de la de la neige", ["de la"]),
        ("a b c d a b c d", ["a b c d"]),
        ("C'est un un un chat", ["un"]),
        ("la clé de la clé de la clé de", ["la clé de"]),
        ("Vous vous levez et nous nous lavons.", []),
        ("Il fait très très froid, oui oui.", []),
        ("le chat et le chien", []),
        ("", []),
    ],
)
def test_what_is_written_again_at_once_is_found(text: str, found: list[str]):
    assert repeated(text) == found


@pytest.mark.parametrize(
    ("text", "references", "short"),
    [
        ("a b c d", ["a b c d e f"], True),
        ("a b c d", ["a b c d e f", "a b c d e"], False),
        ("a b c d e", ["a b c d e f"], False),
        ("", ["Va !"], True),
    ],
)
def test_a_translation_is_too_short_beside_its_shortest_reference(text: str, references: list[str], short: bool):
    assert is_too_short(text, references) == short


def test_without_references_nothing_is_too_short():
    with pytest.raises(ValueError, match="there are none"):
        is_too_short("Va !", [])


def test_the_faults_of_a_text_are_named_in_one_order():
    assert faults("Je ai.", ["Je ai vraiment très faim, Anne."]) == ["omission", "elision"]
    assert faults("J'ai faim.", ["J'ai faim.", "Moi, j'ai très faim, tu sais."]) == []
    assert set(faults("La eau la eau", ["a b c d e f g h"])) == set(KINDS)


def test_what_people_wrote_has_hardly_any_such_faults():
    try:
        data.fetch("translations")
    except data.Offline as error:
        pytest.skip(str(error))
    french = [pair.french for pair in translations.load()[::20]]
    assert sum(bool(unshortened(text)) for text in french) / len(french) < 0.002
    assert sum(bool(repeated(text)) for text in french) / len(french) < 0.002
