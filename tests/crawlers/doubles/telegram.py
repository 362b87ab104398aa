"""A Telegram channel's preview pages: oldest first on a page, older pages by `?before=`; every ninth is media alone."""

from __future__ import annotations

from html import escape

from fault_server import Asked, Reply

from doubles import PAGE, Double, Written

CHANNEL = "kazan_talk"


class SourceDouble(Double):
    """One channel; the numbers of its messages leave room for photos and service messages."""

    source = "telegram"

    def mount(self) -> None:
        self.site.answers["/s/Kazan_Talk"] = self._page

    def target(self) -> str:
        return f'source = "telegram"\nchannel = "Kazan_Talk"\nserver = "{self.site.url}"'

    def native_id(self, number: int) -> str:
        return f"{CHANNEL}/{2 * number}"

    def author_id(self, post: Written) -> str:
        return f"channel {CHANNEL}"

    def _page(self, asked: Asked) -> Reply:
        before = int(asked.query.get("before", 10**9))
        shown = sorted(n for n in self._messages() if n < before)[-PAGE:]
        history = "".join(self._messages()[n] for n in shown) or (
            '<div class="tgme_widget_message_centered"><div class="tme_no_messages_found">No posts found</div></div>'
        )
        if shown and shown[0] > min(self._messages()):
            history = f'<a class="tme_messages_more js-messages_more" data-before="{shown[0]}"></a>{history}'
        body = f'<main class="tgme_main"><section class="tgme_channel_history js-message_history">{history}</section></main>'
        return Reply(
            f"<!DOCTYPE html><html><body>{body}</body></html>\n<!-- page generated in 13.97ms -->\n",
            headers={"Content-Type": "text/html; charset=utf-8"},
        )

    def _messages(self) -> dict[int, str]:
        """Return the messages by number: the posts, and a service message for every ninth."""
        service = '<div class="tgme_widget_message_text js-message_text" dir="auto">pinned a message</div>'
        told = {2 * post.number: self._message(2 * post.number, post, self._text(post)) for post in self.posts.values()}
        odd = {2 * post.number + 1: post for post in self.posts.values() if post.number % 9 == 0}
        return told | {n: self._message(n, post, service, "service_message ") for n, post in odd.items()}

    def _text(self, post: Written) -> str:
        return f'<div class="tgme_widget_message_text js-message_text" dir="auto">{escape(post.text)}</div>'

    def _message(self, number: int, post: Written, inner: str, sort: str = "") -> str:
        return (
            f'<div class="tgme_widget_message_wrap js-widget_message_wrap"><div class="tgme_widget_message '
            f'text_not_supported_wrap {sort}js-widget_message" data-post="{CHANNEL}/{number}">{inner}'
            f'<span class="tgme_widget_message_views">1.2K</span><span class="tgme_widget_message_meta">'
            f'<span class="tgme_widget_message_from_author" dir="auto">{post.author}</span>,&nbsp;'
            f'<a class="tgme_widget_message_date" href="https://t.me/{CHANNEL}/{number}">'
            f'<time datetime="{post.created_at.isoformat()}" class="time">10:00</time></a></span></div></div>'
        )
