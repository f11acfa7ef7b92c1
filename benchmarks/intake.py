"""How fast feedback comes in, and that memory does not grow with the file.

    DATABASE_URL=... python benchmarks/intake.py [LINES ...]

Each size runs in a process and a project of its own; the numbers are those of that process.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZES = (10_000, 100_000)
VOTES = 5
ANNOTATORS = 500


def write(path: Path, lines: int) -> None:
    """A file such as real ones are: outputs of a few hundred characters, five votes a pair."""
    words = ["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "at", "noon"]
    with path.open("w") as file:
        for number in range(lines):
            said = " ".join(words[(number * place) % len(words)] for place in range(1, 60))
            record = {
                "id": f"line-{number}",
                "prompt": [{"role": "user", "content": f"Question {number // 3}: {said[:80]}?"}],
                "language": "en",
                "tags": [f"tag-{number % 20}"],
                "task_type": "pairwise",
                "outputs": [
                    {"id": "a", "text": f"{said} {number}", "source": f"model {number % 7}"},
                    {"id": "b", "text": f"{number} {said}", "source": f"model {number % 5 + 7}"},
                ],
                "annotations": [
                    {
                        "annotator": f"w{(number * VOTES + vote) % ANNOTATORS}",
                        "answer": {
                            "tiers": [["a"], ["b"]] if (number + vote) % 2 else [["a", "b"]]
                        },
                        "shown": ["b", "a"],
                        "seconds": 12.5,
                        "at": "2026-01-02T03:04:05Z",
                    }
                    for vote in range(VOTES)
                ],
            }
            file.write(json.dumps(record) + "\n")


def measure(path: Path) -> dict[str, float]:
    import django

    django.setup()
    from annotation.intake import import_file
    from truing.create_project import create_project

    project = create_project(f"Benchmark {time.time_ns()}", actor=None)
    started, used = time.perf_counter(), time.process_time()
    report = import_file(project, path)
    seconds = time.perf_counter() - started
    assert report.refused == 0, report.problems[:3]
    return {
        "lines": report.lines,
        "annotations": report.annotations,
        "seconds": round(seconds, 1),
        "own_cpu_seconds": round(time.process_time() - used, 1),
        "lines_per_second": round(report.lines / seconds),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def main(sizes: list[int]) -> None:
    results = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "feedback.jsonl"
            write(path, size)
            command = [sys.executable, __file__, "--measure", str(path)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
            results.append(json.loads(done.stdout.splitlines()[-1]))
    ratio = results[-1]["peak_rss_mb"] / results[0]["peak_rss_mb"]
    print(json.dumps({"runs": results, "peak_rss_ratio": round(ratio, 3)}))  # noqa: T201


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        import os

        sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "platform")]
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "truing.settings")
        print(json.dumps(measure(Path(sys.argv[2]))))  # noqa: T201
    else:
        main([int(size) for size in sys.argv[1:]] or list(SIZES))
