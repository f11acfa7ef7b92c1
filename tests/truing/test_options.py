"""Options: one dataclass gives the form, the schema and the record."""

from dataclasses import dataclass

import pytest

from truing.options import BadOption, build, fields_of, json_schema, option, record_of


@dataclass(frozen=True)
class Options:
    beta: float = option(0.1, "How far it may move.", min_value=0, max_value=1)
    epochs: int = option(3, "How often each row is seen.", min_value=1)
    shuffle: bool = option(True, "Whether the rows are mixed.")
    loss: str = option("sigmoid", "Which loss.", choices=("sigmoid", "hinge"))
    limit: int | None = option(None, "At most so many rows.", min_value=1)


def test_reads_what_a_form_sends():
    options = build(Options, {"beta": "0.25", "epochs": "2", "shuffle": "off", "limit": ""})
    assert options == Options(beta=0.25, epochs=2, shuffle=False, limit=None)


def test_takes_defaults_for_what_is_not_said():
    assert build(Options, {}) == Options()


def test_what_is_recorded_builds_the_same_options():
    options = Options(beta=0.3, limit=7)
    assert build(Options, record_of(options)) == options


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"betta": 1},
            "There is no option “betta”. There are: beta, epochs, shuffle, loss, limit.",
        ),
        ({"beta": "much"}, "Beta must be a number, not “much”."),
        ({"beta": 2}, "Beta must be at most 1, not 2."),
        ({"beta": "nan"}, "Beta must be a finite number."),
        ({"epochs": 0}, "Epochs must be at least 1, not 0."),
        ({"epochs": 1.5}, "Epochs must be a whole number, not “1.5”."),
        ({"epochs": True}, "Epochs must be a whole number, not “True”."),
        ({"shuffle": "perhaps"}, "Shuffle must be yes or no, not “perhaps”."),
        ({"loss": "ipo"}, "Loss must be one of sigmoid, hinge, not “ipo”."),
        ({"limit": "0"}, "Limit must be at least 1, not 0."),
        ({"limit": 10**400}, f"Limit must be a whole number, not “{'1' + '0' * 59}”."),
        ({"beta": 10**400}, f"Beta must be a number, not “{'1' + '0' * 59}”."),
    ],
)
def test_refuses_in_one_sentence(values, sentence):
    with pytest.raises(BadOption) as refusal:
        build(Options, values)
    assert str(refusal.value) == sentence


@dataclass(frozen=True)
class Named:
    names: tuple[str, ...] = option(("One", "Two"), "What there is.", min_value=1, max_value=3)


def test_a_text_with_several_lines_is_a_list_of_texts():
    options = build(Named, {"names": " First  thing\r\n\nSecond\n"})
    assert options.names == ("First thing", "Second")
    assert record_of(options) == {"names": ["First thing", "Second"]}
    assert build(Named, record_of(options)) == options
    assert fields_of(Named)[0].type is tuple


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ([], "Names must have at least 1, a line each."),
        ("a\nb\nc\nd", "Names may have at most 3, not 4."),
        (["a", "a"], "Names: “a” stands there twice."),
        (["a", 1], "Names must be a list of texts."),
        (7, "Names must be a list of texts."),
        (["a" * 501], "Names: a line is text of at most 500 characters."),
    ],
)
def test_refuses_a_list_in_one_sentence(names, sentence):
    with pytest.raises(BadOption) as refusal:
        build(Named, {"names": names})
    assert str(refusal.value) == sentence


def test_the_schema_of_a_list_says_its_limits():
    schema = json_schema(Named)["properties"]["names"]
    assert schema["type"] == "array"
    assert schema["default"] == ["One", "Two"]
    assert (schema["minItems"], schema["maxItems"]) == (1, 3)


def test_describes_its_fields_in_their_order():
    fields = fields_of(Options)
    assert [field.name for field in fields] == ["beta", "epochs", "shuffle", "loss", "limit"]
    assert fields[4].optional
    assert fields[4].type is int


def test_the_schema_says_the_limits():
    properties = json_schema(Options)["properties"]
    assert properties["beta"]["maximum"] == 1
    assert properties["loss"]["enum"] == ["sigmoid", "hinge"]
