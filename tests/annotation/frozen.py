"""A first version, and what stands in it."""

from annotation.freeze import freeze, rows_of

SPLITS = ("train", "eval", "review")


def first(project, recipe=None, **more):
    return freeze(
        project, **{"name": "first", "kind": "preference", "recipe": recipe, "actor": None, **more}
    )


def rows(version):
    return [row for split in SPLITS for row in rows_of(version, split)]


def pairs(version):
    return sorted((row["chosen"], row["rejected"]) for row in rows(version))
