"""Each explorer is whole on one small screen, and on a narrow one its controls and its first picture are.

What a panel does where its kernel does not answer is tested here, too.
"""

from collections.abc import Callable, Iterator

import pytest
import torch
from playwright.sync_api import Browser, Locator, Page, expect

from course_lib.pictures.explorers import (
    AlignedSentence,
    AlignmentExplorer,
    AttentionExplorer,
    BeamExplorer,
    DepthExplorer,
    EntityExplorer,
    PositionsExplorer,
    SamplingExplorer,
    TaggedWords,
    TranslateBox,
    TranslationExplorer,
    guesses,
)
from course_lib.pictures.explorers.base import Explorer
from course_lib.pictures.explorers.guess import Guess
from course_lib.pretrained import load_tales_model, load_translator
from course_lib.pretrained.entity_tuning import TAGS
from course_lib.pretrained.sentence_translator import FoundTranslation
from tests.browser.accessibility import too_faint
from tests.browser.explorer_page import put
from tests.pictures.explorers.test_explorers import look_up

# A laptop's screen, and a window beside another one. What JupyterLab leaves a panel there, with its side bar open, is
# compared with a real one in test_attention.
WIDE_SCREEN, NARROW_SCREEN = (1366, 768), (900, 768)
SPACE = {WIDE_SCREEN: (914, 640), NARROW_SCREEN: (468, 640)}
SENTENCE = "the old detective did not find the small key"
TOKENS = "[CLS] the animal did not cross the street because it was too tired [SEP]"
RUNS = ("post-norm", "post-norm, warm-up", "pre-norm", "pre-norm, warm-up", "no residual")


def alignment() -> AlignmentExplorer:
    words = [f"word{i}" for i in range(10)]
    grids = torch.eye(12, 10).expand(2, 4, 12, 10)
    target = [*words, "encore", "plus"]
    return AlignmentExplorer([AlignedSentence(words, target, grids, {(i, i) for i in range(10)})])


def depth() -> DepthExplorer:
    run = {"loss": torch.linspace(2.1, 1.6, 150), "gradient": torch.rand(150, 12, generator=torch.manual_seed(0))}
    return DepthExplorer(dict.fromkeys(RUNS, run))


def entities() -> EntityExplorer:
    words = ["Ada", "Lovelace", "met", "Babbage", "in", "London", "in", "June", "."]
    p = torch.eye(len(TAGS))[[1, 2, 0, 1, 0, 3, 0, 7, 0]]
    return EntityExplorer(lambda _: TaggedWords(words, TAGS, {"tuned": p, "frozen": p}), " ".join(words))


class FourTexts:
    """Finds the same text four times."""

    def translations(self, sentence: str, beams: int) -> list[FoundTranslation]:
        source = (*sentence.split(), "[eos]")
        target = ("le", "vieux", "détective", "n'a", "pas", "trouvé", "la", "petite", "clé", ".")
        return [FoundTranslation(" ".join(target), 1 / beams, source, target, torch.eye(10))] * beams


def translations() -> TranslationExplorer:
    machines = ("the course's", "recurrent", "recurrent with attention", "Transformer")
    return TranslationExplorer(dict.fromkeys(machines, FourTexts()), SENTENCE)


# As large as in the lessons.
PANELS: dict[str, tuple[Callable[[], Explorer], tuple[str, ...]]] = {
    "translate": (lambda: TranslateBox(load_translator(), SENTENCE), ("sentence", "translation", "answer")),
    "attention": (
        lambda: AttentionExplorer(look_up, TOKENS).ask_first(*guesses.IT),
        ("sentence", "lookup", "layer", "head", "guess"),
    ),
    "positions": (
        lambda: PositionsExplorer(d_model=32, length=48).ask_first(*guesses.NEIGHBOURS),
        ("table", "turns", "guess"),
    ),
    "depth": (lambda: depth().ask_first(*guesses.FIRST_STEPS), ("runs", "guess")),
    "alignment": (lambda: alignment().ask_first(*guesses.DETERMINER), ("data", "head", "guess")),
    "sampling": (
        lambda: SamplingExplorer(load_tales_model(), "There was once a poor ").ask_first(*guesses.HOTTER),
        ("names", "prompt", "answer", "examples", "request", "drawn", "guess"),
    ),
    "beam": (
        lambda: BeamExplorer(load_translator(), SENTENCE).ask_first(*guesses.FOUR_BEAMS),
        ("sentence", "typed", "result", "guess"),
    ),
    "entities": (entities, ("sentence", "found", "guess")),
    "translations": (translations, ("sentence", "found", "guess")),
}


@pytest.fixture(scope="module", params=PANELS)
def panel(request: pytest.FixtureRequest) -> tuple[str, Explorer, tuple[str, ...]]:
    make, names = PANELS[request.param]
    return request.param, make(), names


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


def shown(page: Page, panel: tuple[str, Explorer, tuple[str, ...]], light: bool) -> Locator:
    """Show a panel after its guess, with all that it can hold, and give it."""
    name, explorer, names = panel
    put(page, explorer, names, light)
    for answer in page.locator(".guess input").all()[-1:]:
        answer.check()
    if name == "beam":
        page.get_by_role("radio", name="4").check()
        page.get_by_role("slider", name="Step").press("End")
    expect(page.locator(".status").first).not_to_be_empty()
    return page.locator(".course-explorer")


@pytest.mark.parametrize("light", [True, False], ids=["light", "dark"])
def test_a_panel_is_whole_on_one_screen(panel: tuple[str, Explorer, tuple[str, ...]], light: bool, page: Page):
    width, height = SPACE[WIDE_SCREEN]
    page.set_viewport_size({"width": width, "height": height})
    root = shown(page, panel, light)
    box = root.bounding_box()
    assert box
    assert box["height"] <= height
    assert cut_off(root) == []
    assert too_faint(root)[1] == []


@pytest.mark.parametrize("light", [True, False], ids=["light", "dark"])
def test_on_a_narrow_screen_the_controls_and_the_first_picture_are_in_view_together(
    panel: tuple[str, Explorer, tuple[str, ...]], light: bool, page: Page
):
    width, height = SPACE[NARROW_SCREEN]
    page.set_viewport_size({"width": width, "height": height})
    root = shown(page, panel, light)
    top = root.locator("form, .controls:not(.guess)").first.bounding_box()
    picture = root.locator("figure:visible, .sentences").first.bounding_box()
    assert top
    assert picture
    assert picture["y"] + picture["height"] - top["y"] <= height
    assert cut_off(root) == []


def cut_off(root: Locator) -> list[str]:
    """What is wider than the panel and cannot be scrolled to: nothing should be."""
    found: list[str] = root.evaluate("""root => {
        const right = root.getBoundingClientRect().right + 1;
        const scrolls = (element) => element.closest(".tree, details");
        return [...root.querySelectorAll("*")]
            .filter((each) => each.checkVisibility() && !scrolls(each) && each.getBoundingClientRect().right > right)
            .map((each) => `${each.tagName} ${each.getAttribute("class")}`);
    }""")
    return found


# How far the reply to a guess begins below the first answer, and how far a digit reaches out of its cell.
BELOW = """guess => guess.querySelector(".reply").getBoundingClientRect().top
    - guess.querySelector("label").getBoundingClientRect().top"""
OUTSIDE = """digits => Math.max(...digits.map((digit) => {
    const [text, cell] = [digit, digit.previousElementSibling].map((each) => each.getBoundingClientRect());
    return Math.max(cell.left - text.left, text.right - cell.right);
}))"""


def test_the_reply_to_a_guess_is_in_the_line_of_the_answers_even_if_it_is_long(page: Page):
    page.set_viewport_size({"width": SPACE[WIDE_SCREEN][0], "height": 640})
    put(page, alignment().ask_first(*guesses.DETERMINER), PANELS["alignment"][1])
    page.locator(".guess input").last.check()
    assert abs(page.locator(".guess").evaluate(BELOW)) < 8


@pytest.mark.parametrize("width", [SPACE[WIDE_SCREEN][0], SPACE[NARROW_SCREEN][0]])
def test_a_weight_of_1_fits_into_its_cell(width: int, page: Page):
    page.set_viewport_size({"width": width, "height": 640})
    put(page, alignment(), ("data", "head"))
    expect(page.locator(".digit").first).to_have_text("1.0")
    assert page.locator(".digit").evaluate_all(OUTSIDE) < 1


def test_on_a_narrow_screen_the_step_just_taken_is_in_view(page: Page):
    page.set_viewport_size({"width": SPACE[NARROW_SCREEN][0], "height": 640})
    make, names = PANELS["beam"]
    shown(page, ("beam", make(), names), light=True)
    tree, last = page.locator(".tree"), page.locator(".tree text").filter(has_text="step 14")
    box, label = tree.bounding_box(), last.bounding_box()
    assert box
    assert label
    assert label["x"] + label["width"] <= box["x"] + box["width"]


def test_the_button_of_a_number_to_guess_is_beside_its_box(page: Page):
    page.set_viewport_size({"width": SPACE[NARROW_SCREEN][0], "height": 640})
    put(page, Guess("how many are right?", unit="pairs of 64"), ("question", "choices", "unit", "chosen"))
    box, button = page.get_by_role("textbox").bounding_box(), page.get_by_role("button").bounding_box()
    assert box
    assert button
    assert abs(box["y"] - button["y"]) < 3


def test_what_a_guess_replies_is_beside_its_button(page: Page):
    put(page, Guess("how many of the six?", unit="of 6", guess="4"), ("question", "choices", "unit", "chosen"))
    reply = page.get_by_text("Your guess: 4. The answer comes further down.")
    button, words = page.get_by_role("button").bounding_box(), reply.bounding_box()
    assert button
    assert words
    assert 0 < words["x"] - button["x"] - button["width"] < 60


@pytest.mark.parametrize("name", ["translate", "attention", "sampling", "beam", "entities", "translations"])
def test_a_panel_whose_kernel_does_not_answer_says_what_to_do(name: str, page: Page):
    make, names = PANELS[name]
    page.clock.install()
    put(page, make(), names)
    for answer in page.locator(".guess input").all()[-1:]:
        answer.check()
    warned = page.get_by_text("No answer yet. If no other cell is running, this panel has lost its kernel")
    page.locator("form input[type=text]").press("Enter")  # the same sentence again: there is nothing to ask
    page.clock.run_for(6000)
    expect(warned).to_have_count(0)
    page.locator("form input[type=text]").fill("the king laughed")
    page.locator("form button").click()
    page.clock.run_for(4500)
    expect(warned).to_have_count(0)
    page.clock.run_for(1000)
    expect(warned).to_be_visible()
    form, words = page.locator("form").bounding_box(), warned.bounding_box()
    assert form
    assert words
    assert words["y"] - form["y"] - form["height"] < 12
    assert too_faint(page.locator(".course-explorer"))[1] == []


def test_a_panel_whose_kernel_answers_warns_of_nothing(page: Page):
    box = TranslateBox(load_translator(), SENTENCE)
    page.clock.install()
    put(page, box, ("sentence", "translation", "answer"), kernel=True)
    for sentence in ("the king laughed", "the zebra laughed", "the zebra sang"):
        page.locator("form input").fill(sentence)
        page.locator("form input").press("Enter")
        expect(page.locator(".status")).to_contain_text("zebra" if "zebra" in sentence else "le roi a ri")
    page.clock.run_for(10_000)
    expect(page.get_by_text("No answer yet")).to_have_count(0)
