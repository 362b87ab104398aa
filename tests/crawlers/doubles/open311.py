"""A GeoReport v2 server that speaks XML only: windows by date, single reports by number, no authors."""

from __future__ import annotations

from xml.sax.saxutils import escape

from fault_server import Asked, Reply

from doubles import Double, Written


class SourceDouble(Double):
    """One administration's reports; what was deleted is no longer shown."""

    source = "open311"
    keeps_authors = False

    def mount(self) -> None:
        self.site.answers["/open311/v2/requests.xml"] = self._requests

    def target(self) -> str:
        return f'source = "open311"\nurl = "{self.site.url}/open311/v2"\njurisdiction = "kazan.example"'

    def native_id(self, number: int) -> str:
        return f"{self.site.host} kazan.example report {7000 + number}"

    def author_id(self, post: Written) -> str:
        return f"nobody knows {post.handle}"

    def _requests(self, asked: Asked) -> Reply:
        assert asked.query["jurisdiction_id"] == "kazan.example"
        shown = self.newest_first()
        if "service_request_id" in asked.query:
            numbers = asked.query["service_request_id"].split(",")
            shown = [post for post in shown if str(7000 + post.number) in numbers]
        else:
            begin, end = asked.query["start_date"], asked.query["end_date"]
            shown = [p for p in shown if begin <= p.created_at.strftime("%Y-%m-%dT%H:%M:%SZ") <= end]
        reports = "".join(self._report(post) for post in shown)
        body = f'<?xml version="1.0" encoding="UTF-8"?>\n<service_requests>{reports}</service_requests>'
        return Reply(body, headers={"Content-Type": "text/xml; charset=utf-8"})

    def _report(self, post: Written) -> str:
        fields = {
            "service_request_id": str(7000 + post.number),
            "status": "open",
            "status_notes": "Принято в работу",
            "service_name": "Дороги",
            "description": post.text,
            "requested_datetime": post.created_at.isoformat(),
            "updated_datetime": "",
            "address": "Mill Road 7",
            "lat": "55.79",
            "long": "49.12",
        }
        inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
        return f"<request>{inner}</request>"
