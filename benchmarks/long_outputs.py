"""Does the desk stay smooth with outputs of 100,000 characters?

    python -m benchmarks.long_outputs [--characters 100000] [--repeat 3] [--type NAME ...]

Starts a PostgreSQL and a web of its own, as `benchmarks/desk.py` does, signs somebody in in a real
Chromium (TRUING_BROWSER names it, else `chromium` is looked for), and lets them work on Markdown
with code, tables, formulas and lists: first on short outputs, then on long ones. For each type it
prints, as medians over the repeats, what the server takes for a page that it renders for the first
time and again, when the question stands there, the longest task of the page's thread, frames while
somebody scrolls, the next question after an answer, and how long a key takes till the next frame
is drawn: for the differences of two outputs, for a mark at the end of the text, for typing into a
correction. The last line is one JSON object; `ratios` are long over short.
"""

import argparse
import json
import os
import random
import shutil
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.desk import PASSWORD, SLUG, Web, say
from benchmarks.long_texts import changed, markdown
from benchmarks.own_database import own_database

SHORT = 1000  # characters
SCROLLED = 400  # pixels a frame, as a fast wheel does
FRAMES = 150
TYPED = "This was not right, it is so: "
TYPES: dict[str, dict[str, Any]] = {
    "pairwise": {"alike": False},
    "pairwise_alike": {"type": "pairwise", "alike": True},
    "rating": {"options": {"aspects": ["Helpful: 7", "True: 5"], "flags": ["Harmful"]}},
    "spans": {"outputs": 1},
    "edit": {"outputs": 1},
    "critique": {"outputs": 1},
}

# In the page: long tasks, when the question stood there, and how long a key takes till its frame.
WATCH = """
window.longest = [];
new PerformanceObserver((list) => longest.push(...list.getEntries().map((one) => one.duration)))
    .observe({ type: "longtask", buffered: true });
window.drawn = () => new Promise((done) => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => done(performance.now());
    channel.port2.postMessage(0);
}));
document.addEventListener("DOMContentLoaded", async () => { window.shownAt = await drawn(); });
window.nextKey = () => { window.keyed = new Promise((done) =>
    addEventListener("keydown", (event) => drawn().then((at) => done(at - event.timeStamp)),
        { capture: true, once: true })); };
"""
SCROLL = """async ([pixels, frames]) => {
    const gaps = [];
    let last = await new Promise(requestAnimationFrame);
    for (let frame = 0; frame < frames; frame += 1) {
        scrollBy(0, pixels);
        const now = await new Promise(requestAnimationFrame);
        gaps.push(now - last);
        last = now;
    }
    return gaps;
}"""
SERVER = """() => {
    const [now] = performance.getEntriesByType("navigation");
    return { first_byte: now.responseStart - now.requestStart, bytes: now.encodedBodySize };
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--characters", type=int, default=100_000, help="Of a long output.")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--type", action="append", choices=TYPES)
    given = parser.parse_args()
    with browser() as chromium, own_database("long"), Web(1, None) as web:
        desk = LongDesk(chromium, web, given.repeat)
        result: dict[str, Any] = {"characters": given.characters, "short": SHORT, "types": {}}
        for name in given.type or TYPES:
            short = desk.work(name, SHORT)
            long = desk.work(name, given.characters)
            ratios = {key: round(long[key] / max(1, short[key]), 1) for key in long if key in short}
            result["types"][name] = {"short": short, "long": long, "ratios": ratios}
            say(f"{name}: {json.dumps(result['types'][name])}")
    print(json.dumps(result))  # noqa: T201


@contextmanager
def browser() -> Iterator[Any]:
    """A running Chromium, or a sentence that says why there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = os.environ.get("TRUING_BROWSER") or next(filter(None, map(shutil.which, names)), None)
    if not path:
        raise SystemExit("There is no Chromium here: name one in TRUING_BROWSER.")
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise SystemExit("Playwright is not installed: pip install truing[dev].") from None
    # Playwright runs an event loop in this thread, and Django would refuse the database beside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(
                executable_path=path, args=["--no-sandbox", "--disable-gpu"]
            )
        except Error as error:
            raise SystemExit(f"{path} does not start: {error.message.splitlines()[0]}") from None
        yield chromium
        chromium.close()


class LongDesk:
    def __init__(self, chromium: Any, web: Web, repeat: int) -> None:
        from benchmarks.seed_desk import make_world

        self.world = make_world(SLUG, 1, PASSWORD, 1)
        self.repeat = repeat
        self.texts = random.Random(0)
        context = chromium.new_context(
            base_url=f"http://127.0.0.1:{web.port}", viewport={"width": 1280, "height": 900}
        )
        context.set_default_timeout(60_000)
        context.add_init_script(WATCH)
        self.page = context.new_page()
        self.page.goto("/sign-in/")
        self.page.fill("[name=email]", self.world.emails[0])
        self.page.fill("[name=password]", PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector("[data-sign-out]", state="attached")

    def work(self, name: str, characters: int) -> dict[str, float]:
        """What one type takes with outputs of this length."""
        self.seed(characters, **{"type": name, **TYPES[name]})
        measured = [self.look(TYPES[name].get("type", name)) for _ in range(self.repeat)]
        return {
            key: round(statistics.median(one[key] for one in measured), 1) for key in measured[0]
        }

    def seed(
        self,
        characters: int,
        *,
        type: str,
        outputs: int = 2,
        alike: bool = False,
        options: dict[str, Any] | None = None,
    ) -> None:
        """An open queue, the only one, with two questions for each repeat."""
        from annotation.create_queue import create_queue
        from annotation.models import Assignment, Output, Queue, Task, TaskOutput
        from annotation.models.output import output_digest

        Queue.objects.filter(project=self.world.project).update(state=Queue.State.CLOSED)
        queue = create_queue(
            self.world.project,
            name=f"{type} {Queue.objects.count()}",
            type=type,
            options=options,
            rules=False,
            actor=None,
        )
        for number in range(2 * self.repeat):
            task = Task.objects.create(
                queue=queue, prompt_id=self.world.prompts[0], ref=f"task-{number}"
            )
            text = markdown(self.texts, characters)
            for position in range(outputs):
                if position:
                    text = changed(self.texts, text) if alike else markdown(self.texts, characters)
                output = Output.objects.create(
                    prompt_id=task.prompt_id,
                    text=text,
                    digest=output_digest(text),
                    source=f"{queue.pk} {number} {position}",
                )
                TaskOutput.objects.create(
                    task=task, output=output, position=position, ref="ab"[position]
                )
            Assignment.objects.create(task=task, queue=queue)

    def look(self, type: str) -> dict[str, float]:
        """A question is read and answered, and the next one is left as it comes."""
        page = self.page
        page.goto(f"/p/{SLUG}/desk/")
        server = page.evaluate(SERVER)
        page.reload()
        found = {
            "server_first_ms": server["first_byte"],
            "server_again_ms": page.evaluate(SERVER)["first_byte"],
            "kilobytes": server["bytes"] / 1000,
            "shown_ms": page.evaluate("shownAt ?? drawn()"),
            "longest_task_shown_ms": self.longest(),
        }
        gaps = page.evaluate(SCROLL, [SCROLLED, FRAMES])
        page.evaluate("scrollTo(0, 0)")
        found |= {f"frame_{key}": value for key, value in spread(gaps).items()}
        found["longest_task_scrolling_ms"] = self.longest()
        if act := ACTS.get(type):
            found |= act(self)
            found[f"longest_task_{type}_ms"] = self.longest()
        return found

    def longest(self) -> float:
        """The longest task of the page's thread since it was last asked for: 50 ms or more."""
        self.page.wait_for_timeout(300)
        return self.page.evaluate("Math.max(0, ...longest.splice(0))")

    def key(self, key: str) -> float:
        """Milliseconds from a key to the frame that shows what it did."""
        self.page.evaluate("nextKey()")
        self.page.keyboard.press(key)
        return self.page.evaluate("keyed")

    def differences(self) -> dict[str, float]:
        """Differs, and then the answer: the next question stands there."""
        found = {"diff_ms": self.key("d")}
        self.page.wait_for_selector("[data-sign-out]", state="attached")
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("1")
        self.page.evaluate(
            """() => { window.next = new Promise((done) => {
                const began = performance.now();
                addEventListener("htmx:afterSwap", () => drawn().then((at) => done(at - began)),
                    { once: true });
            }); }"""
        )
        self.page.keyboard.press("Enter")
        found["next_question_ms"] = self.page.evaluate("next")
        return found

    def mark(self) -> dict[str, float]:
        """The last word of the text is chosen; then others are, and marked."""
        first = self.key("ArrowLeft")
        moved = [self.key(key) for key in ["ArrowLeft", "Shift+ArrowRight", "ArrowUp"] * 5]
        marked = [self.key(key) for key in ["1", "ArrowLeft"] * 5][::2]
        return {
            "mark_first_key_ms": first,
            "mark_move_ms": statistics.median(moved),
            "mark_ms": statistics.median(marked),
        }

    def write(self) -> dict[str, float]:
        """A sentence is typed at the end of the text, then one in its middle."""
        self.page.keyboard.press("w")
        times = [self.typed(letter) for letter in TYPED]
        self.page.evaluate(
            """() => { const text = document.getElementById("text");
            const middle = text.value.length >> 1; text.setSelectionRange(middle, middle); }"""
        )
        times += [self.typed(letter) for letter in TYPED]
        return {f"typing_{key}": value for key, value in spread(times).items()}

    def typed(self, letter: str) -> float:
        # As fast as people type: what waits for a pause gets one now and then.
        self.page.wait_for_timeout(150 if letter == " " else 60)
        return self.key("Space" if letter == " " else letter)


ACTS: dict[str, Callable[[LongDesk], dict[str, float]]] = {
    "pairwise": LongDesk.differences,
    "spans": LongDesk.mark,
    "edit": LongDesk.write,
}


def spread(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        "median_ms": statistics.median(ordered),
        "p95_ms": ordered[int(len(ordered) * 0.95)],
        "worst_ms": ordered[-1],
    }


if __name__ == "__main__":
    main()
