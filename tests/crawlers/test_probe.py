from __future__ import annotations

from typing import Any

from crawlers.probe import Probe, probe

FEED = '<rss version="2.0"><channel><item><guid>https://x.example/1</guid><pubDate>Sun, 22 Aug 2021 13:45:00 +0300</pubDate><description>Text</description></item></channel></rss>'


def test_each_target_is_looked_at_and_nothing_is_stored(site: Any, new_site: Any, folder: Any) -> None:
    forbidding = new_site()
    site.answers |= {
        "/feed": site.Reply(FEED),
        "/page": site.Reply("<html></html>"),
        "/api/v1/timelines/public": site.Reply("[]"),
    }
    forbidding.answers["/robots.txt"] = forbidding.Reply("User-agent: *\nDisallow: /\n")
    study = folder.write(
        f'source = "feed"\nkind = "news"\nurl = "{site.url}/feed"',
        f'source = "feed"\nkind = "news"\nurl = "{site.url}/page"',
        f'source = "feed"\nkind = "news"\nurl = "{site.url}/none"',
        f'source = "feed"\nkind = "news"\nurl = "{forbidding.url}/feed"',
        f'source = "mastodon"\nkind = "microblog"\ninstance = "{site.url}"',
        'source = "mastodon"\nkind = "microblog"\ninstance = "https://mastodon.social"',
        'source = "import"\nkind = "community"\nrows = "reddit"',
        delay=0.5,
    )
    found = probe(study)
    assert found[0] == Probe(
        f"kazan/feed/{site.url}/feed", "kazan", "allowed", None, 200, 1, "2021-08-22T10:45:00Z", None, None
    )
    assert [(p.robots, p.status, p.trouble) for p in found[1:]] == [
        ("allowed", 200, "answered a web page instead of a feed"),
        ("allowed", 404, "no feed here (HTTP 404)"),
        ("robots.txt forbids it", None, "robots.txt forbids it"),
        ("allowed", 200, None),
        ("not asked", None, "excluded: its terms of service forbid automated collection"),
    ]
    assert all(bool(p.mend) == bool(p.trouble) for p in found)
    assert not list(folder.path.glob("study.db*"))
    assert not (folder.path / "crawl.log").exists()


def test_a_study_of_files_only_has_nothing_to_probe(folder: Any) -> None:
    assert probe(folder.write('source = "import"\nkind = "community"\nrows = "reddit"')) == []
