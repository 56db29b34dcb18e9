"""SVG, as text."""

from agentvoice.trace.svg import group, number, tag, text


def test_an_element_has_its_attributes_in_order_and_leaves_out_what_is_none() -> None:
    assert tag("rect", cls="a b", x=1.0, data_from="0.5", rx=None) == '<rect class="a b" x="1" data-from="0.5"/>'


def test_what_people_said_cannot_break_out_of_the_picture() -> None:
    assert text(0, 1, "</text><script>", "said", title='"&<') == (
        '<text class="said" x="0" y="1"><title>"&amp;&lt;</title>&lt;/text&gt;&lt;script&gt;</text>'
    )
    assert tag("g", aria_label='"><x') == "<g aria-label='\"&gt;&lt;x'/>"


def test_an_empty_group_is_nothing() -> None:
    assert group([], cls="x") == ""
    assert group(["<a/>", "<b/>"]) == "<g><a/><b/></g>"


def test_a_coordinate_has_at_most_one_decimal() -> None:
    assert [number(value) for value in (1.0, 1.26, -0.04, 1234.56, 0)] == ["1", "1.3", "0", "1234.6", "0"]
