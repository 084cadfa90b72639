"""The laboratory's post: what any mail client gives it can be read."""

from __future__ import annotations

import asyncio
import smtplib
from email.message import EmailMessage

from nines.lab.launch.post import Post


def letter(to: str, text: str, html: str = "") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "service@example.com", to, "Your code — now"
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message


def sent(*messages: EmailMessage, password: str = "") -> Post:
    post = Post()

    def send() -> None:
        with smtplib.SMTP(post.host, post.port, timeout=10) as client:
            if password:
                client.login("somebody", password)
            for message in messages:
                client.send_message(message)

    async def all_of_it() -> None:
        await post.open()
        try:
            await asyncio.to_thread(send)
        finally:
            await post.close()

    asyncio.run(all_of_it())
    return post


def test_letters_are_read_newest_first_whatever_the_case_of_the_address() -> None:
    post = sent(letter("Ada@Example.com", "first\n.\n..dots"), letter("ada@example.com", "second ü"))
    found = post.to("ADA@example.com")
    assert [each.text.strip() for each in found] == ["second ü", "first\n.\n..dots"]
    assert found[0].subject == "Your code — now"
    assert post.to("eve@example.com") == []


def test_whoever_shows_a_password_is_let_in() -> None:
    assert len(sent(letter("ada@example.com", "x"), password="anything").kept) == 1


def test_links_of_a_letter_in_html_can_be_read() -> None:
    page = '<p>Your <b>code</b> is 42&amp;7</p><a href="https://shop.example/verify?token=abc&amp;id=7">here</a>'
    text = sent(letter("ada@example.com", "plain", page)).kept[0].text
    assert "https://shop.example/verify?token=abc&id=7" in text
    assert "42&7" in text


def test_somebody_waits_for_a_letter_no_longer_than_told() -> None:
    async def all_of_it() -> tuple[int, int]:
        post = Post()
        nothing = await post.await_letter("ada@example.com", 0, 0.05)
        asyncio.get_running_loop().call_later(0.05, post.take, ("ada@example.com",), b"Subject: x\r\n\r\nhello")
        return len(nothing), len(await post.await_letter("ada@example.com", 0, 10.0))

    assert asyncio.run(all_of_it()) == (0, 1)


def test_what_is_no_letter_is_kept_as_it_came() -> None:
    post = Post()
    post.take(("ada@example.com",), b"Content-Type: text/plain; charset=nonsense-7\r\n\r\n\xff 123456")
    assert "123456" in post.to("ada@example.com")[0].text
