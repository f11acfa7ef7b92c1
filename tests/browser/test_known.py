"""A known answer is set on a page that works as the desk does, for every way of asking."""

import pytest

from annotation.models import Task
from annotation.task_types import TASK_TYPES
from tests import make
from tests.browser.every_type import task_of


@pytest.mark.parametrize("name", [name for name, one in TASK_TYPES.items() if not one.has_turns])
def test_every_way_of_asking_has_the_page(project, clara, open_page, axe, name):
    task = task_of(project, name)
    page = open_page(clara)
    page.goto(f"/p/demo/tasks/{task.pk}/known/")
    page.get_by_role("button", name="Save", exact=True).wait_for()
    assert axe(page, looks=(("light", 1280), ("light", 380))) == ""


def test_it_is_set_by_keyboard(project, clara, open_page):
    task = make.task(project)
    page = open_page(clara)
    page.goto(f"/p/demo/tasks/{task.pk}/known/")
    page.keyboard.press("2")
    page.get_by_label("Attention check").check()
    page.keyboard.press("Enter")
    page.get_by_text("The known answer is set").wait_for()
    known = Task.objects.get()
    assert (known.gold["tiers"], known.is_check) == ([["b"], ["a"]], True)
