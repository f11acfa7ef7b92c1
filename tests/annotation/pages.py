"""Pages as somebody gets and posts them."""

import re

from django.urls import reverse


def get(client, person, name, *args, **values):
    client.force_login(person)
    return client.get(reverse(name, args=["demo", *args]), values)


def post(client, person, name, *args, **values):
    client.force_login(person)
    return client.post(reverse(name, args=["demo", *args]), values)


def text_of(response):
    return re.sub(r"\s+", " ", response.content.decode())
