"""Numbers and dates of a German page; names and values of the data stay as they are."""

import pytest

from reports.parts.localized import localize_page, localize_text


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("1,144 objects, 87.2%", "1.144 objects, 87,2\xa0%"),
        ("6,546,000.5", "6.546.000,5"),
        ("<0.0001", "<0,0001"),
        ("0, 32, 128.5", "0, 32, 128,5"),
        ("28 November 2026, 01:08 UTC", "28. November 2026, 01:08 UTC"),
        ("3 March 2026", "3. März 2026"),
        ("AP50:95 of v1.2.3 in 20261128-010557-c2", "AP50:95 of v1.2.3 in 20261128-010557-c2"),
        ("5. Then", "5. Then"),
        ("\N{MINUS SIGN}3.1 to +4.0", "\N{MINUS SIGN}3,1 to +4,0"),
    ],
)
def test_texts(english: str, german: str) -> None:
    assert localize_text(english) == german


def test_names_values_and_commands_stay() -> None:
    page = (
        '<p>1.5 <bdi>1.5 <b>2.5</b></bdi> <code>3.5</code><span lang="en">4.5 <span>5.5</span> 6.5'
        '</span> 7.5 <br> <img alt="8.5"> 9.5</p>'
    )
    assert localize_page(page, "de") == page.replace(">1.5 <bdi", ">1,5 <bdi").replace(
        " 7.5", " 7,5"
    ).replace(" 9.5", " 9,5")
    assert localize_page(page, "en") == page
