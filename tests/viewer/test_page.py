"""The viewer's page in a real browser, over data made in its forms."""

import re

import pytest
from viewer.site import WORST, Site, served


@pytest.fixture
def site():
    return Site()


@pytest.fixture
def address(site):
    with served(site) as where:
        yield where


def lines(page):
    """Return the ids of the lines in sight, from the top."""
    page.locator(".lines .row").first.wait_for()
    cells = page.locator(".lines .row")
    found = [(int(row.get_attribute("aria-rowindex")), row.locator("a").inner_text()) for row in cells.all()]
    return [name for _, name in sorted(found)]


def test_the_worst_harm_and_its_turn_are_three_clicks_away(page, address):
    page.goto(address)
    page.get_by_role("link", name="Samples that “on” harmed most: +0.800", exact=True).click()
    page.get_by_role("link", name=WORST).click()
    said = page.get_by_label("What happened")
    said.get_by_text("its loss is 0.900 instead of 0.100 (+0.800)").wait_for()
    said.get_by_role("button", name="turn 5 (ruler)").click()
    linked = page.locator("article.turn.linked")
    linked.wait_for()
    assert "wrong" in linked.get_attribute("class").split()
    assert "That lies elsewhere than the ground truth" in linked.inner_text()
    assert "turn=5" in page.url
    assert "on=on" in page.url
    page.wait_for_function("() => document.activeElement.matches('article.turn.linked')")


def test_back_returns_from_a_turn_to_the_canvas_as_it_was_left(page, address):
    page.goto(f"{address}#/sample?study=s1&id={WORST}&arms=off,on")
    chip = page.get_by_role("group", name="Layers of on").get_by_role("button", name="ruler")
    chip.click()
    page.get_by_label("Level").fill("99")
    page.get_by_label("What happened").get_by_role("button", name="turn 5 (ruler)").click()
    page.locator("article.turn.linked").wait_for()
    page.go_back()
    page.locator("article.turn.linked").wait_for(state="detached")
    assert "id=worst" in page.url
    assert chip.get_attribute("aria-pressed") == "false"
    assert page.get_by_label("Level").input_value() == "99"


def test_the_answers_place_is_told_in_millimetres(page, address):
    page.goto(f"{address}#/sample?study=s1&id={WORST}&arms=on")
    page.get_by_label("What happened").get_by_text(
        re.compile(r"That lies elsewhere than the ground truth \(\d+\.\d mm from the true centre\)")
    ).wait_for()


def test_keys_say_where_there_is_no_further_disagreement(page, address):
    page.goto(f"{address}#/sample?study=s1&id={WORST}&arms=off,on")
    page.get_by_text("1 of 40").wait_for()
    page.keyboard.press("D")
    page.get_by_text("There is no earlier disagreement among those shown.").wait_for()


def test_the_help_lists_the_canvass_keys_and_gives_the_focus_back(page, address):
    page.goto(f"{address}#/sample?study=s1&id={WORST}&arms=off,on")
    button = page.get_by_role("button", name="Help")
    button.click()
    page.get_by_role("dialog").get_by_text("Drag with the right button").wait_for()
    page.get_by_role("button", name="Close").click()
    page.wait_for_function("() => document.activeElement.textContent.startsWith('Help')")


def test_filters_are_in_the_url_and_hold_after_a_reload(page, address):
    page.goto(f"{address}#/samples?study=s1")
    assert lines(page)[0] == WORST
    page.get_by_text("Filters", exact=False).first.click()
    page.get_by_label("Outcome").select_option("no_answer")
    page.locator(".counts", has_text="6 of 40 samples").wait_for()
    page.get_by_label("Difference from").fill("0.1")
    page.get_by_label("Difference from").blur()
    page.wait_for_url(re.compile("in-difference"))
    before = lines(page)
    assert 0 < len(before) < 6
    page.reload()
    page.locator(".lines .row").first.wait_for()
    assert lines(page) == before
    page.get_by_label("Search ids").fill("sample-00003")
    page.wait_for_url(re.compile("q=sample-00003"))


def test_lines_are_sorted_by_the_head_that_is_clicked(page, address):
    page.goto(f"{address}#/samples?study=s1")
    page.get_by_role("button", name="Loss: off").click()
    page.wait_for_url(re.compile("sort=against"))
    first = page.locator(".lines .row").first
    assert first.get_attribute("aria-rowindex") == "2"
    assert "0.29" in first.inner_text()
    assert page.get_by_role("columnheader", name="Loss: off").get_attribute("aria-sort") == "descending"


def test_arms_stand_side_by_side_and_can_be_left_out(page, address):
    page.goto(f"{address}#/sample?study=s1&id={WORST}&arms=off,on")
    assert page.locator(".column").count() == 2
    page.get_by_role("group", name="Arms side by side").get_by_label("off").uncheck()
    page.locator(".columns.of-1").wait_for()
    assert "arms=on" in page.url


def test_a_link_to_a_turn_brings_it_into_sight_on_the_arm_named(page, address):
    page.goto(f"{address}#/sample?study=s1&id={WORST}&arms=off,on&on=on&turn=7")
    linked = page.locator("article.turn.linked")
    linked.wait_for()
    assert "Turn 7" in linked.inner_text()
    page.wait_for_function(
        "() => { const b = document.querySelector('.linked').getBoundingClientRect();"
        " return b.top >= 0 && b.bottom <= innerHeight }"
    )


def test_a_turn_that_is_clicked_begins_at_the_top_however_long_it_is(page, address, site):
    site.text = "A line of a long message.\n" * 90
    page.goto(f"{address}#/sample?study=s1&id={WORST}&arms=off,on")
    page.get_by_label("What happened").get_by_role("button", name="turn 5 (ruler)").click()
    page.locator("article.turn.linked").wait_for()
    page.wait_for_function(
        "() => { const b = document.querySelector('.linked').getBoundingClientRect();"
        " return b.height > innerHeight && b.top >= 0 && b.top < 40 }"
    )


def test_a_phone_names_lines_by_task_and_id_and_cuts_no_difference(page, address, site):
    site.on[12] = site.off[12] - 0.0001
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{address}#/samples?study=s1&sort=difference")
    first = page.locator(".lines .row").first
    first.wait_for()
    assert first.locator("small").all_inner_texts() == ["distance", WORST]
    assert page.get_by_role("columnheader", name="Difference").is_visible()
    cut = "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.innerText)"
    assert page.locator(".lines .row > div").evaluate_all(cut) == []
    page.goto(f"{address}#/samples?study=s1&in-difference=-0.001..-0.00001")
    page.locator(".counts", has_text="1 of 40 samples").wait_for()
    assert page.locator(".lines .row > div").evaluate_all(cut) == []
    assert page.locator(".lines .row").filter(has_text="\N{MINUS SIGN}<0.001").locator(".slight").count() == 1


def test_a_row_without_an_interval_says_so(page, address):
    page.goto(f"{address}#/study?study=s1")
    table = page.get_by_role("region", name="Primary contrasts")
    table.get_by_text("+0.031 (\N{MINUS SIGN}0.010 to +0.070)").wait_for()
    table.get_by_text("+0.020 (no interval)").wait_for()


def test_a_row_number_names_a_sample_too(page, address):
    page.goto(f"{address}#/sample?run=r2&row=11")
    page.locator("code", has_text=WORST).wait_for()
    page.goto(f"{address}#/sample?run=r2&row=4000")
    page.get_by_text("There is no such sample here").wait_for()


def test_everything_is_reached_by_the_keyboard_alone(page, address):
    page.goto(f"{address}#/samples?study=s1")
    page.locator(".lines .row").first.wait_for()
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="hidden")
    page.keyboard.press("/")
    page.keyboard.type("sample")
    page.wait_for_url(re.compile("q=sample"))
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    second = lines(page)[1]
    page.keyboard.press("Enter")
    page.locator("code", has_text=second).wait_for()
    page.keyboard.press("j")
    page.wait_for_function(f"() => !document.querySelector('code').textContent.includes('{second}')")
    page.keyboard.press("d")
    page.keyboard.press("Escape")
    page.locator(".grid").wait_for()
    page.keyboard.press("Tab")
    outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"


def test_arrows_move_in_the_table(page, address):
    page.goto(f"{address}#/samples?study=s1")
    page.locator(".grid").focus()
    page.keyboard.press("End")
    page.locator(".row.here[aria-rowindex='41']").wait_for()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    here = page.locator(".row.here")
    assert here.get_attribute("aria-rowindex") == "3"
    assert page.locator(".grid").get_attribute("aria-activedescendant") == here.get_attribute("id")


def test_a_note_is_written_and_read_again(page, address, site):
    page.goto(f"{address}#/sample?study=s1&id={WORST}&arms=on")
    page.locator(".note summary").click()
    page.get_by_label("Verdict").select_option("bad")
    page.get_by_label("Comment").fill("measured the <b>rib</b>")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved in review.jsonl.").wait_for()
    assert [(one.id, one.verdict, one.comment) for one in site.notes["r2"]] == [
        (WORST, "bad", "measured the <b>rib</b>")
    ]
    page.reload()
    page.wait_for_function("() => document.querySelector('.note textarea')?.value === 'measured the <b>rib</b>'")


def test_results_that_come_in_move_nothing_until_the_reader_wants_it(page, site):
    site.on[5], site.on[20], site.state = None, None, "running"
    with served(site) as address:
        page.goto(f"{address}#/")
        page.get_by_text("38 of 40").wait_for()
        page.goto(f"{address}#/samples?study=s1")
        before = lines(page)
        page.goto(f"{address}#/samples?study=s1&x=1")
        site.on[5], site.on[20], site.stamp = 1.0, 0.95, 2
        page.get_by_role("button", name="New results have come").wait_for()
        assert lines(page) == before
        page.get_by_role("button", name="New results have come").click()
        page.locator(".row a", has_text="sample-00005").wait_for()
        assert lines(page)[0] == "sample-00005"
        page.goto(f"{address}#/")
        site.state = "finished"
        page.locator(".state-running").first.wait_for(state="detached")


HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)><style>body{display:none}</style>"
    "<a href='javascript:alert(3)'>x</a>\u202e " + "W" * 3000 + "\x00 &lt;b&gt; {{7*7}} ${7*7} <!-- ]]>"
)


@pytest.mark.parametrize("width", [1280, 390])
def test_hostile_text_stays_text_and_breaks_no_page(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    with served(Site(text=HOSTILE, name=HOSTILE[:200])) as address:
        for hash_ in ("", "#/study?study=s1", "#/samples?study=s1", f"#/sample?study=s1&id={WORST}&on=on&turn=5"):
            page.goto(address + hash_)
            page.locator("main h1, .grid, main h2").first.wait_for()
            assert page.locator("#app script, #app style, #app a[href^=javascript]").count() == 0
            assert page.evaluate("() => document.documentElement.scrollWidth") <= width
        assert "<script>alert(1)</script>" in page.locator("article.turn.linked").inner_text()


def test_an_unknown_place_is_said(page, address):
    page.goto(f"{address}#/samples?study=s99")
    page.get_by_text("There is no such run or study here").wait_for()
