"""Write a dataset version's card: what it is, where it comes from, and how it is read."""

import json
from typing import Any

WHAT = {
    "preference": "Pairs of outputs of which people prefer one: `prompt`, `chosen`, `rejected`.",
    "unpaired_preference": "Outputs that people call good or bad: `prompt`, `completion`, `label`.",
    "label": (
        "What people call outputs and prompts: `prompt`, `completion` (none where it is about the "
        "prompt), `name`, `value`, `level` and the `share` of the voters who say so."
    ),
    "critique": (
        "What people wrote about outputs (`critique`, `labels`), and the stretches that they "
        "marked (`start`, `end`, `quote`, `severity`)."
    ),
    "instruction": "Demonstrations: a `prompt` and the `completion` that is worth learning.",
    "text": "Conversations to model as they are: a `prompt` and the `completion` that follows it.",
}

PAIRS = (
    ("decided", "one output is preferred"),
    ("tied", "equally good"),
    ("undecided", "no answer leads"),
    ("all_bad", "all bad"),
    ("below_agreement", "below the agreement asked for"),
)


def card_of(name: str, manifest: dict[str, Any], note: str) -> str:
    """The card, in Markdown with the header that dataset hubs read."""
    counts = manifest["counts"]
    sections = [
        _header(manifest),
        f"# {name}\n\n{WHAT[manifest['kind']]}",
        note,
        _splits(counts),
        _behind(counts, manifest.get("agreement"), manifest["guidelines"]),
        _left_out(manifest["left_out"]),
        _recipe(manifest["recipe"]),
        _sources(counts["sources"]),
        _loading(name, manifest),
        "## Licence\n\nUnknown. Whoever shares this must find out what its sources allow.",
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _header(manifest: dict[str, Any]) -> str:
    lines = ["---", "license: unknown", "configs:", "- config_name: default", "  data_files:"]
    for split, file in manifest["files"].items():
        lines += [f"  - split: {split}", f"    path: {file['name']}"]
    return "\n".join([*lines, "---"])


def _splits(counts: dict[str, Any]) -> str:
    rows = "\n".join(f"| {split} | {number:,} |" for split, number in counts["rows"].items())
    return (
        "## Rows\n\n| split | rows |\n|---|---:|\n"
        f"{rows}\n\nA prompt and all that grows from it stand on one side of the split, by a hash "
        f"of its first user turn. {counts['empty']:,} rows hold an empty text: a model that said "
        f"nothing. All texts together have {counts['characters']:,} characters, an estimated "
        f"{counts['tokens_estimate']:,} tokens."
    )


def _behind(
    counts: dict[str, Any], agreement: dict[str, Any] | None, guidelines: dict[str, list[int]]
) -> str:
    if not counts["tasks"] and not counts["annotations"]:
        return ""
    if not counts["tasks"]:
        return (
            "## The people behind it\n\n"
            f"{counts['annotations']:,} answers of {counts['annotators']:,} annotators wrote what "
            "is in it." + _guidelines(guidelines)
        )
    lines = [
        "## The people behind it",
        f"{counts['annotations']:,} answers of {counts['annotators']:,} annotators. "
        f"Of {counts['tasks']:,} tasks {counts['answered']:,} have an answer.",
    ]
    if counts.get("settled"):
        lines.append(
            f"{counts['settled']:,} of them were settled by a reviewer, whose answer outweighs the "
            "others there."
        )
    if counts["pairs"]:
        rows = "\n".join(f"| {words} | {counts[name]:,} |" for name, words in PAIRS)
        lines.append(f"| pairs | |\n|---|---:|\n{rows}")
    if agreement:
        lines.append(
            "Agreement on all that was selected: "
            f"Krippendorff's alpha {_number(agreement['alpha_nominal'])} (nominal), "
            f"{_number(agreement['alpha_ordinal'])} (ordinal); two answers to the same question "
            f"are the same in {_number(agreement['percent_agreement'])} per cent of cases."
        )
    return "\n\n".join(lines) + _guidelines(guidelines)


def _left_out(left_out: dict[str, list[str]]) -> str:
    if not left_out:
        return ""
    people = len({one for names in left_out.values() for one in names})
    where = "; ".join(f"{queue}: {', '.join(names)}" for queue, names in left_out.items())
    who = "1 person" if people == 1 else f"{people:,} people"
    return f"The answers of {who} do not count, because rules found them careless ({where})."


def _guidelines(guidelines: dict[str, list[int]]) -> str:
    if not guidelines:
        return ""
    given = "; ".join(
        f"{queue}: {', '.join(map(str, numbers))}" for queue, numbers in guidelines.items()
    )
    return f"\n\nGuideline versions the annotators had before them: {given}."


def _recipe(recipe: dict[str, Any]) -> str:
    return f"## Recipe\n\n```json\n{json.dumps(recipe, indent=2, ensure_ascii=False)}\n```"


def _sources(sources: dict[str, dict[str, int]]) -> str:
    rows = "\n".join(
        f"| {name.replace('|', '/') or '(unknown)'} | "
        + ", ".join(f"{side} {number:,}" for side, number in sides.items())
        + " |"
        for name, sides in sources.items()
    )
    return f"## Sources of the outputs\n\n| source | |\n|---|---|\n{rows}"


def _loading(name: str, manifest: dict[str, Any]) -> str:
    split, file = next(iter(manifest["files"].items()))
    return (
        "## How to read it\n\n```python\nfrom datasets import load_dataset\n\n"
        f'rows = load_dataset("parquet", data_files={{"{split}": "{file["name"]}"}})\n```\n\n'
        f"Or `truing export {name} --format FORMAT --out FOLDER` for what a trainer reads. "
        "`task` and `annotations` are keys in the database that it was frozen from.\n\n"
        f"The digest of the rows is `{manifest['digest']}`: the same answers and the same recipe "
        "give the same one, in any database."
    )


def _number(value: float | None) -> str:
    return "not defined" if value is None else f"{value:g}"
