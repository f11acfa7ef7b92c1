"""How the OpenAPI document names an operation and its subject: by the address."""

from drf_spectacular.openapi import AutoSchema


class Operation(AutoSchema):
    """`GET /api/projects/{slug}/members/{id}/` is `get_members_id`, on members."""

    def get_operation_id(self) -> str:
        words = [word.strip("{}").replace("-", "_") for word in words_of(self.path)]
        return "_".join([self.method.lower(), *words])

    def get_tags(self) -> list[str]:
        return [subject_of(self.path)]


def subject_of(path: str) -> str:
    """What it is about: the noun after the project, else the first one."""
    return words_of(path)[0]


def words_of(path: str) -> list[str]:
    words = [word for word in path.removeprefix("/api/").split("/") if word]
    return words[2:] if words[:2] == ["projects", "{slug}"] and len(words) > 2 else words
