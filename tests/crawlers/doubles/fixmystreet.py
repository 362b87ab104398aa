"""FixMyStreet's Open311 server: a list in a list, capped, one report by number at a time, names of who agreed."""

from __future__ import annotations

import json
from typing import Any

from fault_server import Asked, Reply

from doubles import Double, Written

CAP = 10


class SourceDouble(Double):
    """One site's reports; what was hidden is no longer shown."""

    source = "open311"

    def mount(self) -> None:
        self.site.answers["/open311/v2/requests.json"] = self._requests

    def target(self) -> str:
        return f'source = "open311"\nurl = "{self.site.url}/open311/v2"\njurisdiction = "fixmystreet"'

    def native_id(self, number: int) -> str:
        return f"{self.site.host} fixmystreet report {number}"

    def author_id(self, post: Written) -> str:
        return f"{self.site.host} {post.author}"

    def _requests(self, asked: Asked) -> Reply:
        if "jurisdiction_id" not in asked.query:
            return Reply("<html><body>ERROR: Missing jurisdiction_id</body></html>")
        shown = self.newest_first()
        if "service_request_id" in asked.query:
            if not asked.query["service_request_id"].isdigit():  # a list is no number for its database
                return Reply("<html><body>Something went wrong</body></html>", status=500)
            shown = [post for post in shown if post.number == int(asked.query["service_request_id"])]
        else:
            begin, end = asked.query["start_date"], asked.query["end_date"]
            shown = [p for p in shown if begin <= p.created_at.strftime("%Y-%m-%dT%H:%M:%SZ") < end]
        return Reply(json.dumps({"requests": [{"request": [self._json(post) for post in shown[:CAP]]}]}))

    def _json(self, post: Written) -> dict[str, Any]:
        return {
            "service_request_id": post.number,
            "title": "Roads",
            "description": post.text,
            "agency_responsible": {"recipient": ["City Council"]},
            "interface_used": "Web interface",
            "lat": 55.79,
            "long": 49.12,
            "requested_datetime": post.created_at.isoformat(),
            "updated_datetime": post.created_at.isoformat(),
            "requestor_name": post.author,
            "service_code": "Roads",
            "service_name": "Roads",
            "status": "open",
        }
