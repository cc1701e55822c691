from reports.pages.bias_page import build_bias_page
from reports.pages.report_page import build_report
from tests.reports.page_reader import read_page
from tests.reports.report_examples import make_report_data
from tests.reports.trust_examples import NOTE, make_trust


def test_a_finding_that_rests_on_an_endangered_attribute_says_so_in_one_sentence() -> None:
    html = build_report(make_report_data(2, trust=make_trust()))
    first = html.index('id="system-1-finding-1"')
    second = html.index('id="system-1-finding-2"')
    assert NOTE in html[first:second]  # hat = yes
    assert "31% of its images carry text." in html[first:second]
    assert NOTE not in html[second : html.index('id="attributes"')]  # eyeglasses = yes


def test_the_section_has_verdicts_flips_and_the_forest_plot_with_its_band() -> None:
    html = build_report(make_report_data(1, trust=make_trust()))
    section = html[html.index('id="encoder"') :]
    text = " ".join(read_page(section).text.split())
    assert "The labels of 1 of 1 attribute are endangered." in text
    assert "0 of 1 pair of words are shown to lean towards a group." in text
    assert (
        "The usual permutation of images, which knows no neutral words, would call 1 of 1" in text
    )
    assert "The groups color every word in this encoder" in text
    assert 'class="band"' in section
    attributes = html[html.index('id="attributes"') : html.index('id="encoder"')]
    assert NOTE in attributes
    assert "Trust in the labels</a>: endangered." in attributes


def test_without_measurements_there_is_no_section() -> None:
    assert 'id="encoder"' not in build_report(make_report_data(1))


def test_no_probe_word_stands_beside_a_picture() -> None:
    """The page of probes has no picture, and in the report they are in their section alone."""
    trust = make_trust()
    page = build_bias_page(trust.probes, attribute="gender", images=1700)
    assert "a rich person / a poor person" in page
    assert "<img" not in page
    html = build_report(make_report_data(1, trust=trust))
    start = html.index('id="encoder"')
    end = html.index("</section>", start)
    assert "<img" not in html[start:end]
    assert "a rich person" not in html[:start] + html[end:]
