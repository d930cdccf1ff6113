"""The explorer of attention in blocks, in Chromium, without a kernel."""

import torch
from playwright.sync_api import Page, expect

from course_lib.pictures.explorers import BlocksExplorer
from tests.browser.explorer_page import put, readable


def explorer() -> BlocksExplorer:
    torch.manual_seed(0)
    return BlocksExplorer(torch.randn(4, 3), torch.randn(4, 3), torch.randn(4, 2), sizes=(1, 2, 4))


def test_a_block_is_held_and_what_is_kept_becomes_exact(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, explorer(), ["data"], light)
    status, block = tab.locator(".status"), tab.get_by_role("slider", name="Block")
    expect(status).to_have_text("Block 1 of 4: queries 0 to 1 read keys 0 to 1. 4 of 16 scores are held.")
    assert tab.locator("[class^=signed]").count() == 4
    assert tab.locator(".masked").count() == 12
    block.press("]")
    expect(status).to_contain_text(
        "queries 0 to 1 read keys 2 to 3. 4 of 16 scores are held. These queries are finished."
    )
    assert tab.locator(".read").count() == 4
    for row in tab.locator("tbody tr").all():
        *_, so_far, exact = row.locator("td").all_inner_texts()
        assert so_far == exact
    readable(tab)


def test_the_size_of_the_blocks_can_be_chosen_by_keyboard(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, explorer(), ["data"], light)
    tab.get_by_label("Tokens in a block").select_option("4")
    status = tab.locator(".status")
    expect(status).to_contain_text("Block 1 of 1")
    expect(status).to_contain_text("16 of 16 scores are held")
    tab.get_by_label("Tokens in a block").select_option("1")
    tab.get_by_role("slider", name="Block").press("End")
    expect(status).to_contain_text("Block 16 of 16: query 3 reads key 3.")
    tab.get_by_role("slider", name="Block").press("r")
    expect(status).to_contain_text("Block 1 of 16")
    readable(tab)
