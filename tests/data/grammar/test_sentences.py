"""The grammar's French and its alignments, against sentences translated and aligned by hand."""

import pytest

from course_lib.data.grammar import lexicon
from course_lib.data.grammar.sentences import HE, SHE, THEY, Clause, NounPhrase, express


def phrase(determiner, noun, before=None, after=None, of=None, negated=False):
    """Look up a noun phrase by its English words; the form of the noun decides whether it is plural."""
    row = next(row for row in lexicon.NOUNS if noun in (row.singular, row.plural))
    plural = noun == row.plural
    opening = next(
        row
        for row in lexicon.DETERMINERS
        if row.english == determiner and row.plural == plural and (row.name == "none") == negated
    )
    adjectives = {row.english: row for row in lexicon.ADJECTIVES}
    return NounPhrase(opening, row, adjectives[before] if before else None, adjectives[after] if after else None, of=of)


def verb(base, particle=""):
    return next(row for row in (*lexicon.VERBS, lexicon.BECOME) if (row.base, row.particle) == (base, particle))


def fixed(english):
    single = [lexicon.TOGETHER, *lexicon.FREQUENCY, *lexicon.MIDDLE, *lexicon.MANNER, *lexicon.AFTER_VERB]
    everything = [*single, *lexicon.TIMES, *(row for row, _ in lexicon.PREPOSITIONS)]
    return next(row for row in everything if row.english == english)


def adjective(english):
    return next(row for row in lexicon.ADJECTIVES if row.english == english)


def clause(subject, base=None, particle="", **more):
    return Clause(subject if isinstance(subject, tuple) else (subject,), verb(base, particle) if base else None, **more)


BY_HAND = [
    # the notes' sentence, and negation around the auxiliary
    (clause(phrase("the", "detective"), "investigate"), "the detective investigated", "le détective a enquêté"),
    (
        clause(phrase("the", "detective"), "investigate", negation="not"),
        "the detective did not investigate",
        "le détective n' a pas enquêté",
    ),
    (
        clause(phrase("the", "detectives"), "investigate", negation="never"),
        "the detectives never investigated",
        "les détectives n' ont jamais enquêté",
    ),
    (
        clause(HE, "work", negation="no longer", place=(fixed("at"), phrase("the", "museum"))),
        "he no longer worked at the museum",
        "il n' a plus travaillé au musée",
    ),
    (
        clause(SHE, "see", negation="not yet", object=phrase("the", "cat")),
        "she did not see the cat yet",
        "elle n' a pas encore vu le chat",
    ),
    # être: the participle agrees with the subject
    (clause(phrase("the", "king"), "arrive"), "the king arrived", "le roi est arrivé"),
    (clause(phrase("the", "queen"), "arrive"), "the queen arrived", "la reine est arrivée"),
    (clause(THEY, "leave", negation="not"), "they did not leave", "ils ne sont pas partis"),
    (clause(phrase("my", "sisters"), "come", "back"), "my sisters came back", "mes sœurs sont revenues"),
    (clause(phrase("a", "mouse"), "die"), "a mouse died", "une souris est morte"),
    (clause(phrase("the", "victim"), "fall"), "the victim fell", "la victime est tombée"),
    (
        clause((phrase("the", "king"), phrase("the", "queen")), "go", "out"),
        "the king and the queen went out",
        "le roi et la reine sont sortis",
    ),
    (
        clause((phrase("the", "girl"), phrase("her", "mother")), "stay", after_verb=fixed("here")),
        "the girl and her mother stayed here",
        "la fille et sa mère sont restées ici",
    ),
    (
        clause(phrase("the", "witch"), "leave", alone=True),
        "the witch left alone",
        "la sorcière est partie seule",
    ),
    (
        clause(phrase("the", "actress"), "enter", object=phrase("a", "hotel", before="old")),
        "the actress entered an old hotel",
        "l' actrice est entrée dans un vieil hôtel",
    ),
    # avoir: it does not
    (clause(phrase("the", "queens"), "sing"), "the queens sang", "les reines ont chanté"),
    # elision, mute and aspirated h
    (clause(phrase("the", "man"), "laugh"), "the man laughed", "l' homme a ri"),
    (clause(phrase("the", "hero"), "laugh"), "the hero laughed", "le héros a ri"),
    (clause(phrase("the", "heroine"), "laugh"), "the heroine laughed", "l' héroïne a ri"),
    (
        clause(phrase("the", "owl"), "look", "at", object=phrase("the", "axe")),
        "the owl looked at the axe",
        "le hibou a regardé la hache",
    ),
    (clause(phrase("this", "owl"), "sleep"), "this owl slept", "ce hibou a dormi"),
    (clause(phrase("this", "man"), "sleep"), "this man slept", "cet homme a dormi"),
    (clause(phrase("this", "story"), "arrive"), "this story arrived", "cette histoire est arrivée"),
    (
        clause(SHE, "lose", object=phrase("her", "sword")),
        "she lost her sword",
        "elle a perdu son épée",
    ),
    (
        clause(HE, "sell", object=phrase("his", "harp")),
        "he sold his harp",
        "il a vendu sa harpe",
    ),
    (
        clause(phrase("my", "nurse", before="old"), "smile"),
        "my old nurse smiled",
        "ma vieille infirmière a souri",
    ),
    (
        clause(phrase("our", "friends"), "visit", object=phrase("their", "school", before="former")),
        "our friends visited their former school",
        "nos amis ont visité leur ancienne école",
    ),
    (
        clause(phrase("the", "boy"), "forget", object=phrase("his", "school", before="former")),
        "the boy forgot his former school",
        "le garçon a oublié son ancienne école",
    ),
    (clause(phrase("the", "wolf", before="enormous"), "run"), "the enormous wolf ran", "l' énorme loup a couru"),
    # adjectives: position, agreement, liaison, irregular plurals
    (
        clause(phrase("the", "door", before="small", after="red"), adjective=adjective("dirty"), negation="not"),
        "the small red door was not dirty",
        "la petite porte rouge n' était pas sale",
    ),
    (
        clause(phrase("a", "man", before="beautiful"), "dance"),
        "a beautiful man danced",
        "un bel homme a dansé",
    ),
    (
        clause(phrase("several", "men", before="old"), "dance"),
        "several old men danced",
        "plusieurs vieux hommes ont dansé",
    ),
    (clause(phrase("this", "friend", before="new"), "lie"), "this new friend lied", "ce nouvel ami a menti"),
    (
        clause(phrase("the", "hero", before="beautiful"), "lie"),
        "the beautiful hero lied",
        "le beau héros a menti",
    ),
    (
        clause(phrase("three", "horses", before="beautiful", after="white"), "disappear"),
        "three beautiful white horses disappeared",
        "trois beaux chevaux blancs ont disparu",
    ),
    (
        clause(THEY, "read", object=phrase("the", "newspapers", after="english")),
        "they read the english newspapers",
        "ils ont lu les journaux anglais",
    ),
    (
        clause(SHE, "hide", object=phrase("the", "jewels", after="royal")),
        "she hid the royal jewels",
        "elle a caché les bijoux royaux",
    ),
    (
        clause(phrase("the", "cars", after="brown"), adjective=adjective("expensive"), very=True),
        "the brown cars were very expensive",
        "les voitures marron étaient très chères",
    ),
    (
        clause(phrase("a", "princess", after="jealous"), "cry"),
        "a jealous princess cried",
        "une princesse jalouse a pleuré",
    ),
    (
        clause(phrase("the", "table", after="wooden"), adjective=adjective("old"), adverb=fixed("already")),
        "the wooden table was already old",
        "la table en bois était déjà vieille",
    ),
    (
        clause(phrase("the", "queen"), "become", adjective=adjective("old"), adverb=fixed("finally")),
        "the queen finally became old",
        "la reine est finalement devenue vieille",
    ),
    (
        clause((phrase("the", "queen"), phrase("the", "king")), adjective=adjective("happy"), negation="never"),
        "the queen and the king were never happy",
        "la reine et le roi n' étaient jamais heureux",
    ),
    (
        clause(phrase("my", "egg"), adjective=adjective("cold"), negation="not yet"),
        "my egg was not cold yet",
        "mon œuf n' était pas encore froid",
    ),
    # des, de, d'
    (
        clause(phrase("some", "houses", before="small"), "disappear"),
        "some small houses disappeared",
        "de petites maisons ont disparu",
    ),
    (
        clause(phrase("some", "bears", before="enormous"), "sleep"),
        "some enormous bears slept",
        "d' énormes ours ont dormi",
    ),
    (
        clause(phrase("some", "bears", after="black"), "sleep"),
        "some black bears slept",
        "des ours noirs ont dormi",
    ),
    (
        clause(HE, "see", negation="not", object=phrase("a", "cat", negated=True)),
        "he did not see a cat",
        "il n' a pas vu de chat",
    ),
    (
        clause(HE, "buy", negation="never", object=phrase("any", "eggs", negated=True)),
        "he never bought any eggs",
        "il n' a jamais acheté d' œufs",
    ),
    (
        clause(phrase("many", "men"), "wait", "for", object=phrase("many", "heroes")),
        "many men waited for many heroes",
        "beaucoup d' hommes ont attendu beaucoup de héros",
    ),
    # contractions
    (
        clause(phrase("the", "boys"), "go", "to", object=phrase("the", "market"), time=fixed("yesterday")),
        "the boys went to the market yesterday",
        "les garçons sont allés au marché hier",
    ),
    (
        clause(SHE, "go", "to", object=phrase("the", "hospital")),
        "she went to the hospital",
        "elle est allée à l' hôpital",
    ),
    (
        clause(SHE, "return", "to", object=phrase("the", "school")),
        "she returned to the school",
        "elle est retournée à l' école",
    ),
    (
        clause(THEY, "come", "from", object=phrase("the", "castle", before="old")),
        "they came from the old castle",
        "ils sont venus du vieux château",
    ),
    (
        clause(phrase("every", "student"), "obey", object=phrase("the", "teachers")),
        "every student obeyed the teachers",
        "chaque étudiant a obéi aux professeurs",
    ),
    (
        clause(SHE, "talk", "about", object=phrase("the", "witches")),
        "she talked about the witches",
        "elle a parlé des sorcières",
    ),
    (
        clause(HE, "need", negation="not", object=phrase("a", "umbrella")),
        "he did not need an umbrella",
        "il n' a pas eu besoin d' un parapluie",
    ),
    (
        clause(phrase("the", "letter", of=phrase("the", "king")), "disappear"),
        "the letter of the king disappeared",
        "la lettre du roi a disparu",
    ),
    (
        clause(HE, "play", place=(fixed("opposite"), phrase("the", "church"))),
        "he played opposite the church",
        "il a joué en face de l' église",
    ),
    (
        clause(phrase("the", "thief"), "run", place=(fixed("far from"), phrase("the", "village"))),
        "the thief ran far from the village",
        "le voleur a couru loin du village",
    ),
    # adverbs, times, recipients, company
    (
        clause(phrase("the", "children"), "sleep", manner=fixed("badly"), negation="not"),
        "the children did not sleep badly",
        "les enfants n' ont pas mal dormi",
    ),
    (
        clause(HE, "sleep", manner=fixed("well"), negation="not yet"),
        "he did not sleep well yet",
        "il n' a pas encore bien dormi",
    ),
    (
        clause(phrase("the", "uncle"), "look", "for", adverb=fixed("often"), object=phrase("these", "keys")),
        "the uncle often looked for these keys",
        "l' oncle a souvent cherché ces clés",
    ),
    (
        clause(phrase("the", "doctor"), "invite", negation="not", adverb=fixed("always"), object=phrase("my", "aunt")),
        "the doctor did not always invite my aunt",
        "le médecin n' a pas toujours invité ma tante",
    ),
    (
        clause(
            phrase("the", "man"), "give", object=phrase("a", "apple", before="good"), recipient=phrase("the", "king")
        ),
        "the man gave a good apple to the king",
        "l' homme a donné une bonne pomme au roi",
    ),
    (
        clause(phrase("the", "goose"), "swim", after_verb=fixed("slowly"), time=fixed("last year"), time_first=True),
        "last year the goose swam slowly",
        "l' année dernière l' oie a nagé lentement",
    ),
    (
        clause(phrase("two", "spiders"), "walk", after_verb=fixed("together"), company=phrase("a", "child")),
        "two spiders walked together with a child",
        "deux araignées ont marché ensemble avec un enfant",
    ),
    (
        clause(SHE, "travel", company=phrase("the", "actor", after="angry"), time=fixed("on monday")),
        "she travelled with the angry actor on monday",
        "elle a voyagé avec l' acteur en colère lundi",
    ),
]


@pytest.mark.parametrize(("meaning", "english", "french"), BY_HAND, ids=[english for _, english, _ in BY_HAND])
def test_sentences_are_those_written_by_hand(meaning: Clause, english: str, french: str) -> None:
    pair = express(meaning)
    assert (" ".join(pair.english), " ".join(pair.french)) == (english, french)


ALIGNED_BY_HAND = [
    # the-le, detective-détective, investigated-a, investigated-enquêté
    (clause(phrase("the", "detective"), "investigate"), "0-0 1-1 2-2 2-3"),
    # le détective n' a pas enquêté / the detective did not investigate
    (clause(phrase("the", "detective"), "investigate", negation="not"), "0-0 1-1 2-3 3-2 3-4 4-5"),
    # elle n' a pas encore vu le chat / she did not see the cat yet
    (
        clause(SHE, "see", negation="not yet", object=phrase("the", "cat")),
        "0-0 1-2 2-1 2-3 3-5 4-6 5-7 6-4",
    ),
    # il n' a plus travaillé au musée / he no longer worked at the museum
    (
        clause(HE, "work", negation="no longer", place=(fixed("at"), phrase("the", "museum"))),
        "0-0 1-1 1-3 2-1 2-3 3-2 3-4 4-5 5-5 6-6",
    ),
    # l' oncle a souvent cherché ces clés / the uncle often looked for these keys
    (
        clause(phrase("the", "uncle"), "look", "for", adverb=fixed("often"), object=phrase("these", "keys")),
        "0-0 1-1 2-3 3-2 3-4 4-4 5-5 6-6",
    ),
    # chaque étudiant a obéi aux professeurs / every student obeyed the teachers
    (clause(phrase("every", "student"), "obey", object=phrase("the", "teachers")), "0-0 1-1 2-2 2-3 2-4 3-4 4-5"),
    # elle a parlé des sorcières / she talked about the witches
    (clause(SHE, "talk", "about", object=phrase("the", "witches")), "0-0 1-1 1-2 2-3 3-3 4-4"),
    # la petite porte rouge n' était pas sale / the small red door was not dirty
    (
        clause(phrase("the", "door", before="small", after="red"), adjective=adjective("dirty"), negation="not"),
        "0-0 1-1 2-3 3-2 4-5 5-4 5-6 6-7",
    ),
    # les enfants n' ont pas mal dormi / the children did not sleep badly
    (
        clause(phrase("the", "children"), "sleep", manner=fixed("badly"), negation="not"),
        "0-0 1-1 2-3 3-2 3-4 4-6 5-5",
    ),
    # beaucoup d' hommes ont ri / many men laughed
    (clause(phrase("many", "men"), "laugh"), "0-0 0-1 1-2 2-3 2-4"),
    # la table en bois était vieille / the wooden table was old
    (clause(phrase("the", "table", after="wooden"), adjective=adjective("old")), "0-0 1-2 1-3 2-1 3-4 4-5"),
    # l' année dernière il est parti / last year he left
    (clause(HE, "leave", time=fixed("last year"), time_first=True), "0-2 1-0 1-1 2-3 3-4 3-5"),
]


@pytest.mark.parametrize(("meaning", "links"), ALIGNED_BY_HAND)
def test_alignments_are_those_made_by_hand(meaning: Clause, links: str) -> None:
    by_hand = {tuple(int(index) for index in link.split("-")) for link in links.split()}
    assert express(meaning).alignment == by_hand


def test_every_mute_h_of_french_is_listed() -> None:
    mute = {"homme", "hôtel", "hôpital", "histoire", "héroïne", "horloge"}
    aspirated = {"héros", "hibou", "hache", "harpe"}
    with_h = {row.french_singular: row.french_plural for row in lexicon.NOUNS if row.french_singular[0] == "h"}
    assert set(with_h) == mute | aspirated
    assert set(lexicon.MUTE_H) == mute | {with_h[word] for word in mute}


def test_fixed_phrases_align_every_word() -> None:
    rows = [*lexicon.TIMES, *lexicon.FREQUENCY, *lexicon.MIDDLE, *(row for row, _ in lexicon.PREPOSITIONS)]
    for row in rows:
        links = [tuple(map(int, link.split("-"))) for link in row.links.split()]
        assert {i for i, _ in links} == set(range(len(row.english.split()))), row
        assert {j for _, j in links} == set(range(len(row.french.split()))), row
