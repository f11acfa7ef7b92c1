"""Endpoints: who answers, what is wrong when they do not, and what they can never do."""

import json

import pytest
from django.urls import reverse

from annotation.add_endpoint import BadEndpoint, EndpointNameTaken, add_endpoint, edit_endpoint
from annotation.check_endpoint import check_endpoint
from annotation.complete import EndpointFailed, complete
from annotation.models import Endpoint
from tests import make
from tests.model_server import ModelServer, begin, echoes, event, hangs, piece, refuses, says
from truing.models import Event

HELLO = [{"role": "user", "content": "Hello"}]


@pytest.fixture
def serve(project):
    """An endpoint behind which somebody behaves like this."""
    servers = []

    def start(behave, **fields):
        servers.append(ModelServer(behave))
        name = f"model {len(servers)}"
        fields = {"timeout_seconds": 1, **fields}
        endpoint = make.endpoint(project, name, base_url=servers[-1].url, **fields)
        endpoint.server = servers[-1]
        return endpoint

    yield start
    for server in servers:
        server.close()


def problem_with(endpoint, **limits):
    with pytest.raises(EndpointFailed) as failure:
        list(complete(endpoint, HELLO, **limits))
    sentence = str(failure.value)
    assert sentence.endswith((".", "…")) or ":" in sentence
    return sentence


def add(project, actor=None, **fields):
    values = {"name": "vendor", "base_url": "https://api.example.org/v1", "model": "m-1"}
    return add_endpoint(project, **{**values, **fields}, actor=actor)


# --- what it says


def test_pieces_come_as_they_are_said(serve):
    assert list(complete(serve(says("Hel", "lo", ".")), HELLO)) == ["Hel", "lo", "."]


def test_it_is_asked_as_it_was_set_up(serve):
    endpoint = serve(echoes, model="m-7", params={"temperature": 0.5, "max_tokens": 9})
    assert "".join(complete(endpoint, HELLO)) == "You said: Hello (1 messages)"
    [asked] = endpoint.server.asked
    assert asked["path"] == "/v1/chat/completions"
    assert (asked["model"], asked["temperature"], asked["max_tokens"]) == ("m-7", 0.5, 9)
    assert asked["stream"] is True
    assert "Authorization" not in asked["headers"]


def test_one_that_does_not_stream_answers_too(serve):
    answer = {"choices": [{"message": {"role": "assistant", "content": "Hi."}}]}
    assert list(complete(serve(refuses(200, answer)), HELLO)) == ["Hi."]


def test_text_may_be_empty(serve):
    assert list(complete(serve(says()), HELLO)) == []


# --- what is wrong with it


@pytest.mark.parametrize(
    ("behave", "words"),
    [
        (refuses(401), "does not accept the key."),
        (refuses(404, {"detail": "no model m"}), "knows no such address or model: no model m"),
        (refuses(429), "asked too much just now."),
        (refuses(500, {"error": {"message": "boom"}}), "in trouble itself (status 500): boom"),
        (refuses(302, None, Location="http://127.0.0.1:1/"), "sends us elsewhere"),
        (refuses(200, {"hello": 1}), "not answer in the way of chat completions."),
        (refuses(200, {"choices": [{"message": "x"}]}), "not answer in the way"),
        (hangs, "has said nothing for 1 seconds."),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(serve, behave, words):
    assert words in problem_with(serve(behave))


def test_nobody_listens(project):
    assert "nothing listens at this address." in problem_with(make.endpoint(project))


def test_a_name_that_nobody_has(project):
    endpoint = make.endpoint(project, base_url="http://nobody.invalid/v1")
    assert "no machine “nobody.invalid”" in problem_with(endpoint)


def stops(handler, body):
    begin(handler)
    event(handler, piece("Hel"))


def fails_on_the_way(handler, body):
    begin(handler)
    event(handler, piece("Hel"))
    event(handler, {"error": {"message": "out of memory"}})


def never_ends(handler, body):
    begin(handler)
    while not handler.server.model_server.over.wait(0.02):
        event(handler, piece("word "))


def one_long_line(handler, body):
    begin(handler)
    for _ in range(40):
        handler.wfile.write(b"x" * 100_000)


def much_text(handler, body):
    begin(handler)
    for _ in range(40):
        event(handler, piece("x" * 10_000))


def test_an_answer_that_stops_in_the_middle_is_none(serve):
    assert "stopped in the middle of its answer." in problem_with(serve(stops))
    assert "stopped in the middle: out of memory" in problem_with(serve(fails_on_the_way))


def test_an_answer_has_an_end_in_time_and_size(serve):
    assert "not come to an end in time" in problem_with(serve(never_ends), longest_seconds=0.5)
    assert "far too much" in problem_with(serve(one_long_line))
    assert "far too much" in problem_with(serve(much_text))


# --- what it can never do


@pytest.mark.parametrize(
    "host",
    [
        *("169.254.169.254", "[fe80::1]", "0.0.0.0", "224.0.0.1", "[::ffff:169.254.169.254]"),
        # The same behind a gateway between the two kinds of address, and other clouds' own.
        *("[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::]", "[fd00:ec2::254]", "100.100.100.200"),
    ],
)
def test_the_address_of_a_clouds_secrets_is_never_spoken_to(project, host):
    endpoint = make.endpoint(project, base_url=f"http://{host}/v1")
    assert "no endpoint may have" in problem_with(endpoint)


def test_a_redirect_is_not_followed(serve):
    there = serve(says("secret"))
    here = serve(refuses(307, None, Location=f"{there.base_url}/chat/completions"))
    assert "sends us elsewhere" in problem_with(here)
    assert there.server.asked == []


def test_the_servers_proxy_and_passwords_are_not_used(serve, monkeypatch, tmp_path):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    endpoint = serve(says("Hi"))
    assert list(complete(endpoint, HELLO)) == ["Hi"]
    assert "Authorization" not in endpoint.server.asked[0]["headers"]


@pytest.mark.parametrize(
    ("base_url", "words"),
    [
        ("file:///etc/passwd", "begins with http"),
        ("gopher://a/", "begins with http"),
        ("http:///v1", "begins with http"),
        ("http://a:99999/v1", "begins with http"),
        ("http://a b/v1", "begins with http"),
        ("https://me:secret@api.example.org/v1", "key does not belong"),
        ("https://api.example.org/v1?key=x", "without “?”"),
        ("https://api.example.org/v1/chat/completions", "Leave “/chat/completions” out"),
        ("", "begins with http"),
    ],
)
def test_an_address_is_one_of_the_web(project, base_url, words):
    with pytest.raises(BadEndpoint, match="(?i)" + words.replace("?", r"\?")):
        add(project, base_url=base_url)


# --- its key


def test_the_key_is_sent_and_never_shown(serve, monkeypatch, client, erin, caplog):
    monkeypatch.setenv("TRUING_KEY_VENDOR", "sk-very-secret")

    def tells(handler, body):
        key = handler.headers["Authorization"]
        refuses(401, {"error": {"message": f"Incorrect key: {key}"}})(handler, body)

    endpoint = serve(tells, key_name="TRUING_KEY_VENDOR")
    caplog.set_level("DEBUG")
    problem = check_endpoint(endpoint, actor=erin)
    assert problem.endswith("does not accept the key: Incorrect key: Bearer …")
    assert endpoint.server.asked[0]["headers"]["Authorization"] == "Bearer sk-very-secret"
    client.force_login(erin)
    seen = [client.get(reverse("endpoint", args=["demo", endpoint.pk])).content.decode()]
    seen += [client.get(reverse("api_endpoints", args=["demo"])).content.decode()]
    seen += [json.dumps(event.details) for event in Event.objects.all()]
    seen += [caplog.text]
    assert not any("very-secret" in text for text in seen)


@pytest.mark.parametrize("status", [200, 400])
def test_its_own_words_are_such_as_can_be_kept_and_never_our_key(serve, monkeypatch, erin, status):
    monkeypatch.setenv("TRUING_KEY_VENDOR", "sk-very-secret")

    def tells(handler, body):
        said = {"error": {"message": "a \x00 b \ud800 for sk-very-secret"}}
        if status == 400:
            refuses(400, said)(handler, body)
        else:
            begin(handler)
            event(handler, said)

    problem = check_endpoint(serve(tells, key_name="TRUING_KEY_VENDOR"), actor=erin)
    assert problem.endswith("a b ? for …")


def test_only_variables_that_are_meant_for_it_are_sent_anywhere(project):
    for name in ("SECRET_KEY", "DATABASE_URL", "TRUING_KEY_", "TRUING_KEY_a", "sk-123"):
        with pytest.raises(BadEndpoint, match="TRUING_KEY_"):
            add(project, key_name=name)
    assert add(project, key_name="env:TRUING_KEY_VENDOR").key_name == "TRUING_KEY_VENDOR"


def test_a_key_that_is_missing_or_meant_for_another_machine_is_said(serve, monkeypatch):
    endpoint = serve(says("Hi"), key_name="TRUING_KEY_VENDOR")
    assert "no environment variable TRUING_KEY_VENDOR" in problem_with(endpoint)
    monkeypatch.setenv("TRUING_KEY_VENDOR", "api.example.org sk-1")
    assert "meant for another machine" in problem_with(endpoint)
    assert endpoint.server.asked == []
    monkeypatch.setenv("TRUING_KEY_VENDOR", "127.0.0.1 sk-1")
    assert list(complete(endpoint, HELLO)) == ["Hi"]
    assert endpoint.server.asked[0]["headers"]["Authorization"] == "Bearer sk-1"


# --- adding and changing


def test_what_is_added_is_written_down(project, erin):
    endpoint = add(project, erin, params={"temperature": "0.5", "seed": None})
    assert endpoint.params == {"temperature": 0.5, "max_tokens": 1024}
    assert endpoint.source == f"endpoint:{endpoint.pk}"
    event = Event.objects.get(verb="endpoint.add")
    assert (event.actor, event.details["model"]) == (erin, "m-1")
    with pytest.raises(EndpointNameTaken):
        add(project, erin)


def test_name_and_model_stay_what_they_are(project, erin):
    endpoint = add(project)
    changed = edit_endpoint(
        endpoint, base_url="http://10.0.0.1:8000/v1/", is_on=False, timeout_seconds=5, actor=erin
    )
    assert (changed.base_url, changed.is_on) == ("http://10.0.0.1:8000/v1", False)
    assert Event.objects.get(verb="endpoint.edit").details == {
        "base_url": "http://10.0.0.1:8000/v1",
        "is_on": False,
        "timeout_seconds": 5,
    }
    with pytest.raises(TypeError):
        edit_endpoint(endpoint, model="another", actor=erin)


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": "a, b"},
        {"model": " "},
        {"model": "a\nb"},
        {"timeout_seconds": 0},
        {"timeout_seconds": 601},
        {"params": {"temperature": 3}},
        {"params": {"messages": []}},
    ],
)
def test_what_is_no_endpoint_is_refused(project, fields):
    with pytest.raises(Exception, match=r"\.$"):
        add(project, **fields)
    assert not Endpoint.objects.exists()


# --- pages


def test_an_engineer_adds_tries_and_switches_one(client, project, erin, serve):
    client.force_login(erin)
    server = serve(says("yes")).server
    form = {"name": "ours", "base_url": server.url, "model": "m", "timeout_seconds": 5}
    page = client.post(reverse("new_endpoint", args=["demo"]), {**form, "temperature": "9"})
    assert page.status_code == 422
    page = client.post(reverse("new_endpoint", args=["demo"]), {**form, "temperature": "0.7"})
    endpoint = Endpoint.objects.get(name="ours")
    assert page.headers["Location"] == reverse("endpoint", args=["demo", endpoint.pk])
    assert endpoint.params == {"temperature": 0.7}
    page = client.post(reverse("endpoint_check", args=["demo", endpoint.pk]), follow=True)
    assert "It answers." in page.content.decode()
    client.post(reverse("endpoint_switch", args=["demo", endpoint.pk]))
    endpoint.refresh_from_db()
    assert not endpoint.is_on
    changed = {**form, "model": "another", "timeout_seconds": 7}
    client.post(reverse("endpoint", args=["demo", endpoint.pk]), changed)
    endpoint.refresh_from_db()
    assert (endpoint.model, endpoint.timeout_seconds) == ("m", 7)


def test_programs_add_change_and_try_one(client, project, erin, serve):
    client.force_login(erin)
    there = reverse("api_endpoints", args=["demo"])
    body = {"name": "ours", "base_url": "http://127.0.0.1:9/v1", "model": "m"}
    made = client.post(there, body, content_type="application/json").json()
    one = reverse("api_endpoint", args=["demo", made["id"]])
    base_url = serve(says("yes")).base_url
    changed = client.patch(one, {"base_url": base_url}, content_type="application/json")
    assert changed.json()["base_url"] == base_url
    check = client.post(reverse("api_endpoint_check", args=["demo", made["id"]])).json()
    assert check == {"answers": True, "problem": ""}


def test_the_list_asks_no_more_when_it_grows(client, project, erin, django_assert_max_num_queries):
    client.force_login(erin)
    make.endpoint(project, "first")
    client.get(reverse("endpoints", args=["demo"]))
    for number in range(20):
        make.endpoint(project, f"model {number}")
    with django_assert_max_num_queries(10):
        client.get(reverse("endpoints", args=["demo"]))
