"""Parts of a page that are rendered once: what they may hold, and for whom."""

import pytest
from django.template import Context, Template, TemplateSyntaxError
from django.utils import translation


def rendered(text, **context):
    return Template("{% load kept %}" + text).render(Context(context))


def test_sees_only_what_is_named():
    text = "{% kept name=person %}{{ name }}|{{ person }}|{{ secret }}{% endkept %}"
    assert rendered(text, person="Alice", secret="hers") == "Alice||"


def test_is_rendered_once_for_the_same_values():
    template = Template(
        "{% load kept %}{% kept name=name %}{{ name }}{{ name|upper }}{% endkept %}"
    )
    assert template.render(Context({"name": "a"})) == "aA"
    template.nodelist[1].nodelist.clear()
    assert template.render(Context({"name": "a"})) == "aA"
    assert template.render(Context({"name": "b"})) == ""


def test_escapes_what_it_is_given():
    template = Template("{% load kept %}{% kept name=name %}{{ name }}{% endkept %}")
    assert template.render(Context({"name": "<b>"})) == "&lt;b&gt;"


def test_each_language_has_its_own():
    template = Template("{% load kept %}{% kept %}{% translate 'Skip' %}{% endkept %}")
    assert template.render(Context()) == "Skip"
    with translation.override("de"):
        assert template.render(Context()) != "Skip"


def test_two_places_with_the_same_values_stay_apart():
    assert rendered("{% kept a=1 %}one{% endkept %}{% kept a=1 %}two{% endkept %}") == "onetwo"


def test_takes_plain_values_only():
    with pytest.raises(TypeError):
        rendered("{% kept one=one %}{% endkept %}", one=object())


def test_wants_names():
    with pytest.raises(TemplateSyntaxError, match="person"):
        rendered("{% kept person %}{% endkept %}")
