"""The page as a person uses it: search, filter, deep link, keyboard, dark, paper, phone, screen reader."""

import re
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open

pytestmark = pytest.mark.browser

SHOWN = "article.cause:not([hidden]) tr[data-a]:not([hidden])"


def count_shown(page: Page) -> int:
    return page.locator(SHOWN).count()


def test_searching_leaves_the_rows_that_hold_every_word(open_page: Open) -> None:
    page = open_page()
    assert count_shown(page) == 60
    page.get_by_label("Search").fill("nurse job-17")
    assert count_shown(page) == 1
    expect(page.locator(SHOWN)).to_be_visible()
    assert page.get_by_role("status").inner_text() == "1 of 60 jobs shown"
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_role("status")).to_have_text("")
    assert count_shown(page) == 60


@pytest.mark.parametrize(
    ("field", "option", "count"),
    [
        ("Customer", "Blue Harbour", 20),
        ("What is wrong", "Not on LinkedIn", 15),
        ("List", "Waiting for your integration team", 30),
        ("For how long", "new on this day", 4),
        ("For how long", "1–4 h", 1),
    ],
)
def test_each_filter_leaves_what_fits(open_page: Open, field: str, option: str, count: int) -> None:
    page = open_page()
    page.get_by_label(field, exact=True).select_option(label=option)
    assert count_shown(page) == count
    assert page.locator(SHOWN).first.is_visible()


def test_filters_add_up_and_empty_sections_go(open_page: Open) -> None:
    page = open_page()
    page.get_by_label("List", exact=True).select_option(label="Waiting for your integration team")
    page.get_by_label("Customer", exact=True).select_option(label="Acme")
    assert count_shown(page) == 10
    expect(page.locator("#today")).to_be_hidden()
    expect(page.locator("#integration-team")).to_be_visible()


def test_a_link_to_a_finding_opens_it_with_its_timeline(open_page: Open) -> None:
    page = open_page("#finding-f59")
    row = page.locator("#finding-f59")
    expect(row).to_be_in_viewport()
    expect(row).to_be_focused()
    timeline = page.locator("#finding-f59 + tr.timeline")
    expect(timeline).to_be_visible()
    words = timeline.inner_text()
    for part in ("CREATE requested: post the job", "Issue found", "Reason 0 <script>"):
        assert part in words


def test_a_link_to_a_finding_that_is_filtered_away_shows_it(open_page: Open) -> None:
    page = open_page()
    page.get_by_label("Search").fill("job-1")
    page.evaluate("location.hash = '#finding-f40'")
    expect(page.locator("#finding-f40")).to_be_in_viewport()
    assert page.get_by_label("Search").input_value() == ""


def test_a_link_to_nothing_does_no_harm(open_page: Open) -> None:
    for anchor in ("#finding-gone", "#%E0%A4%A", "#today"):
        assert count_shown(open_page(anchor)) == 60


def test_everything_can_be_reached_by_keyboard(open_page: Open) -> None:
    page = open_page()
    page.get_by_label("Search").focus()
    page.keyboard.type("job-7")
    for _ in range(4):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "f-age"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.get_by_label("Search").input_value() == ""
    # The page closes what is open as soon as it has followed the reset.
    expect(page.locator(SHOWN)).to_have_count(60)
    timeline = page.get_by_role("button", name="Timeline of").first
    timeline.focus()
    page.keyboard.press("Enter")
    assert timeline.get_attribute("aria-expanded") == "true"
    page.keyboard.press("Enter")
    assert timeline.get_attribute("aria-expanded") == "false"


@pytest.mark.parametrize(("width", "scheme", "media"), [
    (1200, "light", "screen"), (1200, "dark", "screen"), (820, "light", "screen"), (360, "light", "screen"), (360, "dark", "screen"),
    (820, "light", "print"),
])  # fmt: skip
@pytest.mark.parametrize("name", ["index.html", "dana-fox.html"])
def test_axe_finds_nothing_serious(open_page: Open, width: int, scheme: str, media: Literal["screen", "print"], name: str) -> None:
    page = open_page("#finding-f2", name, viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.emulate_media(media=media)
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})
    serious = [each for each in found.response["violations"] if each["impact"] in ("serious", "critical")]
    assert [(each["id"], [node["html"][:200] for node in each["nodes"][:3]]) for each in serious] == []


def test_the_dark_page_is_dark_in_page_and_pictures(open_page: Open) -> None:
    page = open_page(color_scheme="dark")
    back = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(int(part) for part in back.removeprefix("rgb(").removesuffix(")").split(",")) < 60
    light = open_page(color_scheme="light")
    fill = "getComputedStyle(document.querySelector('.chart .bar')).fill"
    assert page.evaluate(fill) != light.evaluate(fill)


@pytest.mark.parametrize("width", [320, 390, 768, 2560])
def test_nothing_is_wider_than_the_screen(open_page: Open, width: int) -> None:
    page = open_page("#finding-f2", viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_paper_holds_what_to_do_today_in_full_and_the_rest_as_counts(open_page: Open, tmp_path: Path) -> None:
    page = open_page()
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#today tr[data-a]:visible").count() == 30
    assert page.locator("tr[data-a]:visible").count() == 30
    expect(page.locator("#integration-team h2")).to_contain_text("30 jobs")
    expect(page.locator("#filters")).to_be_hidden()
    expect(page.get_by_text("Printed: what to do today in full")).to_be_visible()
    paper = tmp_path / "page.pdf"
    page.pdf(path=paper, format="A4")
    assert 1 <= len(re.findall(rb"/Type\s*/Page[^s]", paper.read_bytes())) <= 6


def test_the_choice_is_in_the_address_and_a_link_shows_the_same(open_page: Open) -> None:
    page = open_page()
    page.get_by_label("Search").fill("nurse")
    page.get_by_label("Customer", exact=True).select_option(label="Acme")
    page.get_by_role("button", name="By customer").click()
    address = page.evaluate("location.hash")
    assert "customer=Acme" in address
    again = open_page(address)
    assert again.get_by_label("Search").input_value() == "nurse"
    assert again.locator("section.customer").count() == 1
    assert again.get_by_role("status").inner_text() == page.get_by_role("status").inner_text() == "20 of 60 jobs shown"
    again.get_by_role("button", name="Clear").click()
    expect(again.locator("section.customer")).to_have_count(3)
    again.get_by_role("button", name="By cause").click()
    assert count_shown(again) == 60
    expect(again.locator("#by-customer")).to_be_hidden()


def test_headings_count_what_is_shown_and_nothing_found_says_so(open_page: Open) -> None:
    page = open_page()
    expect(page.locator("#today h2")).to_contain_text("30 jobs")
    page.get_by_label("Customer", exact=True).select_option(label="Acme")
    expect(page.locator("#today h2")).to_contain_text("10 jobs")
    page.get_by_label("Search").fill("no such words")
    expect(page.get_by_text("No job matches.")).to_be_visible()


def test_words_for_a_customer_are_copied(open_page: Open) -> None:
    page = open_page("#view=customer&customer=Acme", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the message to Acme").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    words = page.evaluate("navigator.clipboard.readText()")
    assert page.get_by_label("Message to Acme").input_value() == words
    assert words.startswith("Acme: jobs on LinkedIn that need you\n")
    assert "Please correct it." in words
    assert "- Nurse 0 (job-0)" in words
    assert "Blue Harbour" not in words


def test_the_numbers_on_top_filter_what_is_below(open_page: Open) -> None:
    page = open_page()
    page.get_by_role("link", name="new of these").click()
    assert count_shown(page) == 2
    assert page.evaluate("location.hash") == "#list=Do+today&age=new+on+this+day"
    page.get_by_role("link", name="Waiting for your integration team").click()
    assert page.get_by_role("status").inner_text() == "30 of 60 jobs shown"


def test_an_account_manager_sees_her_customers_first(open_page: Open, tmp_path: Path) -> None:
    page = open_page(name="dana-fox.html")
    expect(page.locator("section.customer")).to_have_count(3)
    expect(page.locator("#today")).to_be_hidden()
    expect(page.get_by_text("you send nothing to LinkedIn yourself").locator("visible=true")).to_have_count(1)
    expect(page.locator("section.customer .lead").first).to_contain_text(
        "10 of 20 jobs with something wrong to ask about today, in one message"
    )
    page.locator("#customers").get_by_role("link", name="Acme").click()
    expect(page.locator("section.customer")).to_have_count(1)
    expect(page.locator("section.customer .others")).not_to_have_attribute("open", "")
    address = page.evaluate("location.hash")
    assert (
        open_page(address, "dana-fox.html")
        .locator("section.customer .lead")
        .inner_text()
        .startswith("10 of 20 jobs shown to ask about today")
    )
    page.get_by_role("button", name="Clear").click()
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("section.customer > article tr[data-a]:visible").count() == 30
    assert page.locator("tr[data-a]:visible").count() == 30
    paper = tmp_path / "page.pdf"
    page.pdf(path=paper, format="A4")
    assert 1 <= len(re.findall(rb"/Type\s*/Page[^s]", paper.read_bytes())) <= 6


def test_a_customers_causes_are_in_order_of_how_many_jobs_they_hit(open_page: Open) -> None:
    page = open_page(name="dana-fox.html")
    for age in ("", "new", "4-24h", "1-3d", "3-7d", ">7d"):
        page.get_by_label("For how long", exact=True).select_option(age)
        for section in page.locator("section.customer").all():
            counts = [part.locator("tr[data-a]").count() for part in section.locator("> article").all()]
            assert counts == sorted(counts, reverse=True), age


def test_a_phone_folds_the_causes_of_each_customer(open_page: Open) -> None:
    page = open_page(name="dana-fox.html", viewport={"width": 390, "height": 800})
    assert page.locator("section.customer tr[data-a]:visible").count() == 0
    page.locator("section.customer > article summary:visible").first.click()
    assert 1 <= page.locator("section.customer tr[data-a]:visible").count() <= 5


def test_without_scripts_the_page_is_whole_and_offers_no_filter(open_page: Open) -> None:
    page = open_page(java_script_enabled=False)
    assert page.locator("tr[data-a]").count() == 60
    expect(page.locator("#filters")).to_be_hidden()
    expect(page.get_by_role("alert")).to_be_visible()


def test_charts_have_a_name_and_a_description(open_page: Open) -> None:
    page = open_page()
    pictures = page.locator("svg[role=img]")
    assert pictures.count() == 2
    assert "findings open at the end" in (pictures.first.locator("desc").text_content() or "")
    expect(page.get_by_role("img", name="Open findings at the end of each day")).to_be_visible()
