"""OpenStreetMap's notes: a search by last change, single notes; nobody can edit one, moderators hide some."""

from __future__ import annotations

import json
from typing import Any

from fault_server import Asked, Reply

from doubles import PAGE, PEOPLE, Double, Written, written


class SourceDouble(Double):
    """The notes in one box; every third one is a comment below the note before it."""

    source = "osm_notes"
    sees_edits = False

    def mount(self) -> None:
        self.site.answers["/api/0.6/notes/search.json"] = self._search
        for number in range(1, 200):
            self.site.answers[f"/api/0.6/notes/{number}.json"] = self._note

    def edit(self, number: int, text: str) -> None:
        """Change nothing: there is no way to."""

    def target(self) -> str:
        return f'source = "osm_notes"\nserver = "{self.site.url}"'

    def native_id(self, number: int) -> str:
        first = f"{self.site.host}/note/{self._opener(number)}"
        if self._opener(number) == number:
            return first
        return f"{first} {self._date(written(number))} {self._uid(written(number))}"

    def author_id(self, post: Written) -> str:
        return f"{self.site.host} user {self._uid(post)}"

    def _opener(self, number: int) -> int:
        return number - 1 if number % 3 == 0 else number

    def _uid(self, post: Written) -> int:
        return 7_000_001 + PEOPLE.index(post.author)

    def _date(self, post: Written) -> str:
        return post.created_at.strftime("%Y-%m-%d %H:%M:%S UTC")

    def _notes(self) -> list[list[Written]]:
        """Return the posts of each note that is shown, by last change; a hidden opener hides its comments."""
        threads: dict[int, list[Written]] = {}
        for number in sorted(self.posts):
            threads.setdefault(self._opener(number), []).append(self.posts[number])
        shown = [thread for opener, thread in threads.items() if thread[0].number == opener]
        return sorted(shown, key=lambda thread: thread[-1].created_at)

    def _search(self, asked: Asked) -> Reply:
        assert asked.query["sort"] == "updated_at"
        assert asked.query["order"] == "oldest"
        west, south, east, north = (float(degree) for degree in asked.query["bbox"].split(","))
        assert west < 49.12 < east
        assert south < 55.79 < north
        begin = asked.query["from"].replace("T", " ").replace("Z", " UTC")
        shown = [thread for thread in self._notes() if self._date(thread[-1]) >= begin][:PAGE]
        return Reply(json.dumps({"type": "FeatureCollection", "features": [self._json(thread) for thread in shown]}))

    def _note(self, asked: Asked) -> Reply:
        number = int(asked.path.rsplit("/", 1)[1].removesuffix(".json"))
        threads = {thread[0].number: thread for thread in self._notes()}
        return Reply(json.dumps(self._json(threads[number]))) if number in threads else Reply(status=410)

    def _json(self, thread: list[Written]) -> dict[str, Any]:
        comments = [
            {
                "date": self._date(post),
                "uid": self._uid(post),
                "user": post.handle,
                "user_url": f"https://www.openstreetmap.org/user/{post.handle}",
                "action": "opened" if place == 0 else "commented",
                "text": post.text,
                "html": f"<p>{post.text}</p>",
            }
            for place, post in enumerate(thread)
        ]
        properties = {
            "id": thread[0].number,
            "url": f"{self.site.url}/api/0.6/notes/{thread[0].number}.json",
            "date_created": self._date(thread[0]),
            "status": "open",
            "comments": comments,
        }
        point = {"type": "Point", "coordinates": [49.12, 55.79]}
        return {"type": "Feature", "geometry": point, "properties": properties}
