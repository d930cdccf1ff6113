"""The words of the grammar corpus, as tables that a reader of French can check line by line.

Where English leaves a choice, a convention decides: a noun for a person has the one French gender given here (*the
friend* is always *l'ami*, *the teacher* always *le professeur*), and each English word has one translation.
"""

from __future__ import annotations

from dataclasses import dataclass

MUTE_H = frozenset({"homme", "hommes", "hôtel", "hôtels", "hôpital", "hôpitaux", "histoire", "histoires",
                    "héroïne", "héroïnes", "horloge", "horloges"})  # fmt: skip
"""Words with a mute *h*: *l'homme*. There is no elision before any other *h*: *le héros*, *la harpe*."""


@dataclass(frozen=True)
class Noun:
    """A noun in both languages, with its gender (``m`` or ``f``) and the kind of thing that it names."""

    singular: str
    plural: str
    french_singular: str
    french_plural: str
    gender: str
    kind: str


@dataclass(frozen=True)
class Adjective:
    """An adjective, with its French forms and the kinds of nouns that it may describe.

    Args:
        english: the English word, which never changes.
        forms: masculine, feminine, masculine plural, feminine plural, separated by commas.
        kinds: the kinds of nouns it may describe.
        before: whether it precedes the noun in French.
        liaison: the masculine singular before a vowel, if it differs: *un vieil homme*.
        predicate: whether it may follow *être*.
        gradable: whether *very* may precede it.
    """

    english: str
    forms: str
    kinds: str
    before: bool = False
    liaison: str = ""
    predicate: bool = True
    gradable: bool = True


@dataclass(frozen=True)
class Determiner:
    """The first word of a noun phrase: an article, a possessive, a demonstrative or a number.

    ``liaison`` is the form before a singular that begins with a vowel sound, if it differs and is not an elision:
    (masculine, feminine), as in *cet homme* and *son école*. ``name`` is the group of determiners to which it belongs.
    """

    english: str
    plural: bool
    masculine: str
    feminine: str
    name: str
    liaison: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Verb:
    """A verb in the English past and the French *passé composé*.

    Args:
        base, past: the English forms: *did not see*, *saw*.
        participle: the masculine singular; it may be two words (*eu besoin*).
        subjects: the kinds of nouns that may be its subject.
        objects: the kinds of nouns that may be its object; empty for a verb without one.
        particle: the word after the English verb: *for* in *looked for*.
        preposition: the word before the French object: *à* in *a obéi à*.
        etre: whether the auxiliary is *être*, so that the participle agrees with the subject.
        place: whether a place may follow: *slept in the house*.
        manner: whether *well* and *badly* may modify it.
        recipient: whether *to somebody* may follow: *gave the key to the man*.
    """

    base: str
    past: str
    participle: str
    subjects: str
    objects: str = ""
    particle: str = ""
    preposition: str = ""
    etre: bool = False
    place: bool = True
    manner: bool = False
    recipient: bool = False


@dataclass(frozen=True)
class Phrase:
    """A fixed expression, with its word alignment written as ``english-french`` index pairs."""

    english: str
    french: str
    links: str


NOUNS = (
    Noun("detective", "detectives", "détective", "détectives", "m", "person"),
    Noun("man", "men", "homme", "hommes", "m", "person"),
    Noun("boy", "boys", "garçon", "garçons", "m", "person"),
    Noun("king", "kings", "roi", "rois", "m", "person"),
    Noun("friend", "friends", "ami", "amis", "m", "person"),
    Noun("child", "children", "enfant", "enfants", "m", "person"),
    Noun("brother", "brothers", "frère", "frères", "m", "person"),
    Noun("father", "fathers", "père", "pères", "m", "person"),
    Noun("uncle", "uncles", "oncle", "oncles", "m", "person"),
    Noun("doctor", "doctors", "médecin", "médecins", "m", "person"),
    Noun("teacher", "teachers", "professeur", "professeurs", "m", "person"),
    Noun("thief", "thieves", "voleur", "voleurs", "m", "person"),
    Noun("hero", "heroes", "héros", "héros", "m", "person"),
    Noun("actor", "actors", "acteur", "acteurs", "m", "person"),
    Noun("student", "students", "étudiant", "étudiants", "m", "person"),
    Noun("neighbour", "neighbours", "voisin", "voisins", "m", "person"),
    Noun("woman", "women", "femme", "femmes", "f", "person"),
    Noun("girl", "girls", "fille", "filles", "f", "person"),
    Noun("queen", "queens", "reine", "reines", "f", "person"),
    Noun("mother", "mothers", "mère", "mères", "f", "person"),
    Noun("sister", "sisters", "sœur", "sœurs", "f", "person"),
    Noun("aunt", "aunts", "tante", "tantes", "f", "person"),
    Noun("witch", "witches", "sorcière", "sorcières", "f", "person"),
    Noun("princess", "princesses", "princesse", "princesses", "f", "person"),
    Noun("actress", "actresses", "actrice", "actrices", "f", "person"),
    Noun("nurse", "nurses", "infirmière", "infirmières", "f", "person"),
    Noun("heroine", "heroines", "héroïne", "héroïnes", "f", "person"),
    Noun("victim", "victims", "victime", "victimes", "f", "person"),
    Noun("cat", "cats", "chat", "chats", "m", "animal"),
    Noun("dog", "dogs", "chien", "chiens", "m", "animal"),
    Noun("horse", "horses", "cheval", "chevaux", "m", "animal"),
    Noun("bird", "birds", "oiseau", "oiseaux", "m", "animal"),
    Noun("wolf", "wolves", "loup", "loups", "m", "animal"),
    Noun("bear", "bears", "ours", "ours", "m", "animal"),
    Noun("owl", "owls", "hibou", "hiboux", "m", "animal"),
    Noun("rabbit", "rabbits", "lapin", "lapins", "m", "animal"),
    Noun("donkey", "donkeys", "âne", "ânes", "m", "animal"),
    Noun("mouse", "mice", "souris", "souris", "f", "animal"),
    Noun("cow", "cows", "vache", "vaches", "f", "animal"),
    Noun("goat", "goats", "chèvre", "chèvres", "f", "animal"),
    Noun("goose", "geese", "oie", "oies", "f", "animal"),
    Noun("spider", "spiders", "araignée", "araignées", "f", "animal"),
    Noun("hat", "hats", "chapeau", "chapeaux", "m", "thing"),
    Noun("knife", "knives", "couteau", "couteaux", "m", "thing"),
    Noun("bag", "bags", "sac", "sacs", "m", "thing"),
    Noun("umbrella", "umbrellas", "parapluie", "parapluies", "m", "thing"),
    Noun("jewel", "jewels", "bijou", "bijoux", "m", "thing"),
    Noun("boat", "boats", "bateau", "bateaux", "m", "thing"),
    Noun("tool", "tools", "outil", "outils", "m", "thing"),
    Noun("mirror", "mirrors", "miroir", "miroirs", "m", "thing"),
    Noun("computer", "computers", "ordinateur", "ordinateurs", "m", "thing"),
    Noun("key", "keys", "clé", "clés", "f", "thing"),
    Noun("sword", "swords", "épée", "épées", "f", "thing"),
    Noun("lamp", "lamps", "lampe", "lampes", "f", "thing"),
    Noun("clock", "clocks", "horloge", "horloges", "f", "thing"),
    Noun("flower", "flowers", "fleur", "fleurs", "f", "thing"),
    Noun("car", "cars", "voiture", "voitures", "f", "thing"),
    Noun("crown", "crowns", "couronne", "couronnes", "f", "thing"),
    Noun("axe", "axes", "hache", "haches", "f", "thing"),
    Noun("harp", "harps", "harpe", "harpes", "f", "thing"),
    Noun("book", "books", "livre", "livres", "m", "text"),
    Noun("newspaper", "newspapers", "journal", "journaux", "m", "text"),
    Noun("poem", "poems", "poème", "poèmes", "m", "text"),
    Noun("letter", "letters", "lettre", "lettres", "f", "text"),
    Noun("story", "stories", "histoire", "histoires", "f", "text"),
    Noun("cake", "cakes", "gâteau", "gâteaux", "m", "food"),
    Noun("egg", "eggs", "œuf", "œufs", "m", "food"),
    Noun("cheese", "cheeses", "fromage", "fromages", "m", "food"),
    Noun("apple", "apples", "pomme", "pommes", "f", "food"),
    Noun("pear", "pears", "poire", "poires", "f", "food"),
    Noun("cherry", "cherries", "cerise", "cerises", "f", "food"),
    Noun("garden", "gardens", "jardin", "jardins", "m", "place"),
    Noun("castle", "castles", "château", "châteaux", "m", "place"),
    Noun("village", "villages", "village", "villages", "m", "place"),
    Noun("hotel", "hotels", "hôtel", "hôtels", "m", "place"),
    Noun("hospital", "hospitals", "hôpital", "hôpitaux", "m", "place"),
    Noun("museum", "museums", "musée", "musées", "m", "place"),
    Noun("market", "markets", "marché", "marchés", "m", "place"),
    Noun("house", "houses", "maison", "maisons", "f", "place"),
    Noun("school", "schools", "école", "écoles", "f", "place"),
    Noun("church", "churches", "église", "églises", "f", "place"),
    Noun("station", "stations", "gare", "gares", "f", "place"),
    Noun("library", "libraries", "bibliothèque", "bibliothèques", "f", "place"),
    Noun("farm", "farms", "ferme", "fermes", "f", "place"),
    Noun("bed", "beds", "lit", "lits", "m", "furniture"),
    Noun("armchair", "armchairs", "fauteuil", "fauteuils", "m", "furniture"),
    Noun("bench", "benches", "banc", "bancs", "m", "furniture"),
    Noun("table", "tables", "table", "tables", "f", "furniture"),
    Noun("chair", "chairs", "chaise", "chaises", "f", "furniture"),
    Noun("shelf", "shelves", "étagère", "étagères", "f", "furniture"),
    Noun("door", "doors", "porte", "portes", "f", "door"),
    Noun("window", "windows", "fenêtre", "fenêtres", "f", "door"),
    Noun("box", "boxes", "boîte", "boîtes", "f", "door"),
    Noun("drawer", "drawers", "tiroir", "tiroirs", "m", "door"),
)

_ALIVE = "person animal"
_OBJECTS = "thing text food furniture door"
_ANY = f"{_ALIVE} {_OBJECTS} place"

ADJECTIVES = (
    Adjective("small", "petit, petite, petits, petites", _ANY, before=True),
    Adjective("big", "grand, grande, grands, grandes", _ANY, before=True),
    Adjective("old", "vieux, vieille, vieux, vieilles", _ANY, before=True, liaison="vieil"),
    Adjective("young", "jeune, jeune, jeunes, jeunes", _ALIVE, before=True),
    Adjective("beautiful", "beau, belle, beaux, belles", _ANY, before=True, liaison="bel"),
    Adjective(
        "new", "nouveau, nouvelle, nouveaux, nouvelles", f"person {_OBJECTS} place", before=True, liaison="nouvel"
    ),
    Adjective("good", "bon, bonne, bons, bonnes", _ANY, before=True),
    Adjective("bad", "mauvais, mauvaise, mauvais, mauvaises", _ANY, before=True),
    Adjective("pretty", "joli, jolie, jolis, jolies", _ANY, before=True),
    Adjective("enormous", "énorme, énorme, énormes, énormes", f"animal {_OBJECTS} place", before=True, gradable=False),
    Adjective("former", "ancien, ancienne, anciens, anciennes", "person place", before=True, predicate=False),
    Adjective("red", "rouge, rouge, rouges, rouges", _OBJECTS, gradable=False),
    Adjective("blue", "bleu, bleue, bleus, bleues", _OBJECTS, gradable=False),
    Adjective("green", "vert, verte, verts, vertes", _OBJECTS, gradable=False),
    Adjective("white", "blanc, blanche, blancs, blanches", f"animal place {_OBJECTS}", gradable=False),
    Adjective("black", "noir, noire, noirs, noires", f"animal place {_OBJECTS}", gradable=False),
    Adjective("brown", "marron, marron, marron, marron", f"animal {_OBJECTS}", gradable=False),
    Adjective("happy", "heureux, heureuse, heureux, heureuses", _ALIVE),
    Adjective("sad", "triste, triste, tristes, tristes", f"{_ALIVE} text"),
    Adjective("tired", "fatigué, fatiguée, fatigués, fatiguées", _ALIVE),
    Adjective("rich", "riche, riche, riches, riches", "person"),
    Adjective("clever", "intelligent, intelligente, intelligents, intelligentes", _ALIVE),
    Adjective("brave", "courageux, courageuse, courageux, courageuses", _ALIVE),
    Adjective("dangerous", "dangereux, dangereuse, dangereux, dangereuses", f"{_ALIVE} thing place"),
    Adjective("famous", "célèbre, célèbre, célèbres, célèbres", "person text place"),
    Adjective("strange", "étrange, étrange, étranges, étranges", _ANY),
    Adjective("curious", "curieux, curieuse, curieux, curieuses", _ALIVE),
    Adjective("jealous", "jaloux, jalouse, jaloux, jalouses", "person"),
    Adjective("naive", "naïf, naïve, naïfs, naïves", "person"),
    Adjective("french", "français, française, français, françaises", "person place text food", gradable=False),
    Adjective("english", "anglais, anglaise, anglais, anglaises", "person place text food", gradable=False),
    Adjective("royal", "royal, royale, royaux, royales", "thing place", gradable=False),
    Adjective("cold", "froid, froide, froids, froides", "food place furniture thing"),
    Adjective("dirty", "sale, sale, sales, sales", f"animal {_OBJECTS} place"),
    Adjective("expensive", "cher, chère, chers, chères", _OBJECTS),
    Adjective("secret", "secret, secrète, secrets, secrètes", "text place door", gradable=False),
    Adjective("public", "public, publique, publics, publiques", "place text furniture", gradable=False),
    Adjective("wooden", "en bois, en bois, en bois, en bois", "thing furniture door", gradable=False),
    Adjective("angry", "en colère, en colère, en colère, en colère", "person", gradable=False),
)

DETERMINERS = (
    Determiner("the", False, "le", "la", "the"),
    Determiner("the", True, "les", "les", "the"),
    Determiner("a", False, "un", "une", "a"),
    Determiner("some", True, "des", "des", "some"),
    Determiner("a", False, "de", "de", "none"),
    Determiner("any", True, "de", "de", "none"),
    Determiner("this", False, "ce", "cette", "demonstrative", ("cet", "cette")),
    Determiner("these", True, "ces", "ces", "demonstrative"),
    Determiner("his", False, "son", "sa", "possessive", ("son", "son")),
    Determiner("his", True, "ses", "ses", "possessive"),
    Determiner("her", False, "son", "sa", "possessive", ("son", "son")),
    Determiner("her", True, "ses", "ses", "possessive"),
    Determiner("their", False, "leur", "leur", "possessive"),
    Determiner("their", True, "leurs", "leurs", "possessive"),
    Determiner("my", False, "mon", "ma", "possessive", ("mon", "mon")),
    Determiner("my", True, "mes", "mes", "possessive"),
    Determiner("our", False, "notre", "notre", "possessive"),
    Determiner("our", True, "nos", "nos", "possessive"),
    Determiner("every", False, "chaque", "chaque", "quantity"),
    Determiner("several", True, "plusieurs", "plusieurs", "quantity"),
    Determiner("many", True, "beaucoup de", "beaucoup de", "quantity"),
    Determiner("two", True, "deux", "deux", "quantity"),
    Determiner("three", True, "trois", "trois", "quantity"),
    Determiner("four", True, "quatre", "quatre", "quantity"),
    Determiner("five", True, "cinq", "cinq", "quantity"),
)
"""``none`` is the object of a negated verb, where *un*, *une* and *des* all become *de*: *il n'a pas vu de chat*."""

VERBS = (
    Verb("investigate", "investigated", "enquêté", "person", manner=True),
    Verb("sleep", "slept", "dormi", _ALIVE, manner=True),
    Verb("work", "worked", "travaillé", "person", manner=True),
    Verb("sing", "sang", "chanté", "person", manner=True),
    Verb("dance", "danced", "dansé", "person", manner=True),
    Verb("swim", "swam", "nagé", _ALIVE, manner=True, place=False),
    Verb("laugh", "laughed", "ri", "person"),
    Verb("cry", "cried", "pleuré", "person"),
    Verb("smile", "smiled", "souri", "person"),
    Verb("run", "ran", "couru", _ALIVE),
    Verb("walk", "walked", "marché", _ALIVE),
    Verb("travel", "travelled", "voyagé", "person", place=False),
    Verb("play", "played", "joué", _ALIVE),
    Verb("lie", "lied", "menti", "person", place=False),
    Verb("disappear", "disappeared", "disparu", _ANY),
    Verb("hesitate", "hesitated", "hésité", "person", place=False),
    Verb("arrive", "arrived", "arrivé", f"{_ALIVE} text", etre=True),
    Verb("leave", "left", "parti", _ALIVE, etre=True, place=False),
    Verb("fall", "fell", "tombé", f"{_ALIVE} {_OBJECTS}", etre=True),
    Verb("stay", "stayed", "resté", _ALIVE, etre=True),
    Verb("die", "died", "mort", _ALIVE, etre=True),
    Verb("go", "went", "sorti", _ALIVE, particle="out", etre=True, place=False),
    Verb("come", "came", "revenu", _ALIVE, particle="back", etre=True, place=False),
    Verb("go", "went", "allé", _ALIVE, "place", particle="to", preposition="à", etre=True, place=False),
    Verb("come", "came", "venu", _ALIVE, "place", particle="from", preposition="de", etre=True, place=False),
    Verb("return", "returned", "retourné", _ALIVE, "place", particle="to", preposition="à", etre=True, place=False),
    Verb("enter", "entered", "entré", _ALIVE, "place", preposition="dans", etre=True, place=False),
    Verb("see", "saw", "vu", _ALIVE, _ANY),
    Verb("find", "found", "trouvé", "person", f"{_ALIVE} {_OBJECTS}"),
    Verb("hide", "hid", "caché", "person", "animal thing text"),
    Verb("buy", "bought", "acheté", "person", f"animal {_OBJECTS}"),
    Verb("sell", "sold", "vendu", "person", f"animal {_OBJECTS}"),
    Verb("lose", "lost", "perdu", "person", "thing text"),
    Verb("steal", "stole", "volé", "person", "animal thing text food"),
    Verb("choose", "chose", "choisi", "person", _OBJECTS),
    Verb("forget", "forgot", "oublié", "person", _ANY),
    Verb("paint", "painted", "peint", "person", _ANY),
    Verb("read", "read", "lu", "person", "text"),
    Verb("write", "wrote", "écrit", "person", "text"),
    Verb("eat", "ate", "mangé", _ALIVE, "food"),
    Verb("prepare", "prepared", "préparé", "person", "food"),
    Verb("visit", "visited", "visité", "person", "place", place=False),
    Verb("build", "built", "construit", "person", "place furniture"),
    Verb("open", "opened", "ouvert", "person", "door"),
    Verb("close", "closed", "fermé", "person", "door"),
    Verb("love", "loved", "aimé", "person", _ALIVE, place=False),
    Verb("hate", "hated", "détesté", "person", _ALIVE, place=False),
    Verb("help", "helped", "aidé", "person", "person"),
    Verb("follow", "followed", "suivi", _ALIVE, _ALIVE),
    Verb("meet", "met", "rencontré", "person", _ALIVE),
    Verb("invite", "invited", "invité", "person", "person", place=False),
    Verb("thank", "thanked", "remercié", "person", "person"),
    Verb("arrest", "arrested", "arrêté", "person", "person"),
    Verb("question", "questioned", "interrogé", "person", "person"),
    Verb("save", "saved", "sauvé", "person", _ALIVE),
    Verb("hear", "heard", "entendu", _ALIVE, _ALIVE),
    Verb("look", "looked", "cherché", _ALIVE, _ANY, particle="for"),
    Verb("look", "looked", "regardé", _ALIVE, _ANY, particle="at"),
    Verb("wait", "waited", "attendu", _ALIVE, "person", particle="for"),
    Verb("listen", "listened", "écouté", "person", "person", particle="to"),
    Verb("obey", "obeyed", "obéi", _ALIVE, "person", preposition="à", place=False),
    Verb("answer", "answered", "répondu", "person", "person", preposition="à", place=False),
    Verb("speak", "spoke", "parlé", "person", _ALIVE, particle="to", preposition="à"),
    Verb("talk", "talked", "parlé", "person", _ANY, particle="about", preposition="de", place=False),
    Verb("think", "thought", "pensé", "person", _ANY, particle="about", preposition="à", place=False),
    Verb("need", "needed", "eu besoin", "person", _OBJECTS, preposition="de", place=False),
    Verb("give", "gave", "donné", "person", _OBJECTS, place=False, recipient=True),
    Verb("show", "showed", "montré", "person", _OBJECTS, place=False, recipient=True),
    Verb("send", "sent", "envoyé", "person", "text thing food", place=False, recipient=True),
    Verb("lend", "lent", "prêté", "person", "thing text", place=False, recipient=True),
)

BECOME = Verb("become", "became", "devenu", _ALIVE, etre=True)

PREPOSITIONS = (
    (Phrase("in", "dans", "0-0"), "place"),
    (Phrase("at", "à", "0-0"), "place"),
    (Phrase("near", "près de", "0-0 0-1"), "place furniture door"),
    (Phrase("far from", "loin de", "0-0 1-1"), "place"),
    (Phrase("behind", "derrière", "0-0"), "place furniture door person"),
    (Phrase("in front of", "devant", "0-0 1-0 2-0"), "place furniture door"),
    (Phrase("opposite", "en face de", "0-0 0-1 0-2"), "place"),
    (Phrase("under", "sous", "0-0"), "furniture"),
    (Phrase("on", "sur", "0-0"), "furniture"),
)
"""Prepositions of place, each with the kinds of nouns that may follow it."""

WITH = Phrase("with", "avec", "0-0")
OF = Phrase("of", "de", "0-0")
TO = Phrase("to", "à", "0-0")

FREQUENCY = (
    Phrase("often", "souvent", "0-0"),
    Phrase("always", "toujours", "0-0"),
    Phrase("rarely", "rarement", "0-0"),
    Phrase("sometimes", "parfois", "0-0"),
)
"""Adverbs that precede the English verb and follow the French auxiliary, and exclude *yesterday* and the like."""

MIDDLE = (
    Phrase("already", "déjà", "0-0"),
    Phrase("finally", "finalement", "0-0"),
    Phrase("really", "vraiment", "0-0"),
    Phrase("almost", "presque", "0-0"),
    Phrase("also", "aussi", "0-0"),
)
"""Other adverbs that precede the English verb and follow the French auxiliary."""

UNDER_NEGATION = frozenset({"often", "always", "really"})
"""The adverbs among them that may also follow *not* and *pas*."""

WITH_WAS = frozenset({"often", "always", "rarely", "sometimes", "already", "really"})
"""The adverbs among them that may follow *was* and *était*."""

YET = Phrase("yet", "encore", "0-0")
MANNER = (Phrase("well", "bien", "0-0"), Phrase("badly", "mal", "0-0"))
"""Adverbs that follow the English verb and precede the French participle."""

AFTER_VERB = (
    Phrase("quickly", "vite", "0-0"),
    Phrase("slowly", "lentement", "0-0"),
    Phrase("here", "ici", "0-0"),
    Phrase("outside", "dehors", "0-0"),
)
ALONE = ("seul", "seule", "seuls", "seules")
TOGETHER = Phrase("together", "ensemble", "0-0")

TIMES = (
    Phrase("yesterday", "hier", "0-0"),
    Phrase("today", "aujourd'hui", "0-0"),
    Phrase("this morning", "ce matin", "0-0 1-1"),
    Phrase("this evening", "ce soir", "0-0 1-1"),
    Phrase("last night", "hier soir", "0-0 1-1"),
    Phrase("last week", "la semaine dernière", "1-0 1-1 0-2"),
    Phrase("last year", "l' année dernière", "1-0 1-1 0-2"),
    Phrase("last month", "le mois dernier", "1-0 1-1 0-2"),
    Phrase("on monday", "lundi", "0-0 1-0"),
    Phrase("on friday", "vendredi", "0-0 1-0"),
    Phrase("on sunday", "dimanche", "0-0 1-0"),
)
