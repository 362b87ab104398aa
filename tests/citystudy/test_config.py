from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from citystudy.codeframe import THEMES
from citystudy.config import read_study
from citystudy.errors import ConfigError, ExitCode
from citystudy.targets import BlueskyTarget, FeedTarget, ImportTarget, MastodonTarget
from citystudy.text import slug
from tests.citystudy.conftest import MINIMAL

Write = Callable[[str | bytes], Path]

FULL = """
[study]
name = "full"
question = "What is missing?"
contact = "https://example.org/contact"
report_languages = ["en", "ar"]
database = "data/full.db"
reports = "out"

[privacy]
secret = "env:FULL_SECRET"
k = 7
exact_quotes = false
links = true

[limits]
delay_seconds = 0.0
timeout_seconds = 5
retries = 0
max_pages_per_target = 3
max_response_mb = 1

[retention]
posts_days = 30

[analysis]
cut = 0.6
topics = false
seed = 1

[codeframe.hair_care]
label.en = "Hair care"
words.en = ["curly hair", "shampoo*"]

[[segments]]
id = "cyclists"
label.en = "Cyclists"
words.en = ["my bike"]

[[brands]]
name = "Acme"
owner = "own"
aliases.ar = ["أكمي"]

[[offers]]
name = "Night shuttle"
themes = ["transport", "hair_care"]
kinds = ["wish"]

[[cities]]
name = "Amman"
country = "JO"
languages = ["ar", "en"]
population = 1275857
latitude = 31.9
longitude = 35.9
aliases.ar = ["عمان"]
districts = [{ name = "Abdoun", aliases = { ar = ["عبدون"] }, latitude = 31.9, longitude = 35.8 }]
[[cities.targets]]
source = "feed"
kind = "news"
url = "http://127.0.0.1:9000/feed.xml"
comparable = false
note = "a paper"
[[cities.targets]]
source = "mastodon"
kind = "microblog"
instance = "http://localhost:9000"
tag = "عمان"
[[cities.targets]]
source = "mastodon"
kind = "microblog"
instance = "http://[::1]:9000"
[[cities.targets]]
source = "import"
kind = "forum"
rows = "reddit"

[[cities]]
name = "Казань"
country = "RU"
languages = ["ru", "en"]
"""


def problems(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        read_study(path)
    assert raised.value.exit_code == ExitCode.USAGE
    lines = str(raised.value).splitlines()
    assert all(line.startswith(f"{path}: ") for line in lines), "each line names the file"
    return [line.removeprefix(f"{path}: ") for line in lines]


def with_city(more: str) -> str:
    """The minimal study with more keys in its city."""
    return MINIMAL.replace('languages = ["ar", "en"]\n', f'languages = ["ar", "en"]\n{more}\n')


def test_a_minimal_study_takes_the_defaults(write_study: Write) -> None:
    path = write_study(MINIMAL)
    study = read_study(path)
    assert study.folder == path.parent
    assert study.database_path == path.parent / "study.db"
    assert study.reports_path == path.parent / "reports"
    assert (study.privacy.secret, study.privacy.k, study.privacy.links) == ("file:study.secret", 5, False)
    assert study.limits.delay_seconds == 2.0
    assert study.retention.posts_days is None
    assert study.themes == THEMES
    assert study.languages() == ("ar", "en")


def test_a_full_study_is_read_as_written(write_study: Write) -> None:
    study = read_study(write_study(FULL))
    assert study.study.report_languages == ["en", "ar"]
    assert study.themes == (*THEMES, "hair_care")
    assert study.languages()[0] == "en", "the language of most cities comes first"
    assert [city.id for city in study.cities] == ["amman", "казань"]
    assert list(study.cities[0].all_names()) == ["Amman", "عمان"]
    targets = [target for _, target in study.targets()]
    assert [type(target) for target in targets] == [FeedTarget, MastodonTarget, MastodonTarget, ImportTarget]
    assert [target.name for target in targets] == [
        "http://127.0.0.1:9000/feed.xml",
        "localhost:9000#عمان",
        "[::1]:9000 local",
        "reddit",
    ]
    assert [target.post_source for target in targets] == ["feed", "mastodon", "mastodon", "reddit"]
    assert study.cities[0].target_id(targets[3]) == "amman/import/reddit"


def test_a_byte_order_mark_is_no_part_of_the_file(write_study: Write) -> None:
    assert read_study(write_study(b"\xef\xbb\xbf" + MINIMAL.encode())).study.name == "test"


def test_a_missing_file_is_answered_with_the_command_that_makes_one(tmp_path: Path) -> None:
    [line] = problems(tmp_path / "none.toml")
    assert "no such study file" in line
    assert "citystudy init" in line


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    assert problems(tmp_path) == ["can't be read: Is a directory"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "study: missing, expected a [study] table"),
        ('name = "é"\nb = "é"'.encode("latin-1"), "line 1: found a byte that is not UTF-8; save the file as UTF-8"),
        (b"# fine\n\nname = '\xff'", "line 3: found a byte that is not UTF-8; save the file as UTF-8"),
        (MINIMAL.encode("utf-16"), "line 1: found a byte that is not UTF-8; save the file as UTF-8"),
        (b"[study\nname = 1", "not valid TOML: "),
        (b"a = 1\na = 2\n", "not valid TOML: Cannot overwrite a value (at line 2"),
        (b"a = \x00", "not valid TOML: "),
        (b"a = 2026-99-99", "not valid TOML: "),
        (b"a = " + b"9" * 5000, "not valid TOML: "),
        (b"a = " + b"[" * 50_000, "not valid TOML: found too many brackets within one another"),
    ],
    ids=["empty", "latin-1", "byte", "utf-16", "bracket", "twice", "nul", "date", "number", "deep"],
)
def test_what_is_not_toml_is_told_with_its_line(write_study: Write, content: bytes, said: str) -> None:
    assert problems(write_study(content))[0].startswith(said)


def test_a_study_needs_cities(write_study: Write) -> None:
    head = MINIMAL.split("[[cities]]", maxsplit=1)[0]
    wanted = "expected at least one [[cities]] table"
    assert problems(write_study(head)) == [f"cities: missing, {wanted}"]
    assert problems(write_study("cities = []\n" + head)) == [f"cities: found [], {wanted}"]
    [line] = problems(write_study(MINIMAL.replace("[[cities]]", "[cities]")))
    assert line.startswith("cities: found {")
    assert line.endswith(wanted)


def test_two_cities_of_one_name_are_refused_however_they_are_spelled(write_study: Write) -> None:
    again = '\n[[cities]]\nname = "ÁMMAN"\ncountry = "JO"\nlanguages = ["ar"]\n'
    assert problems(write_study(MINIMAL + again)) == [
        "cities: found 'ÁMMAN' twice (as 'Amman' before), expected each name once; rename or remove one"
    ]


def test_one_target_twice_is_refused(write_study: Write) -> None:
    target = MINIMAL[MINIMAL.index("[[cities.targets]]") :]
    [line] = problems(write_study(MINIMAL + target))
    assert line.startswith("cities[0].targets: found 'https://forum.example/latest.rss' twice")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MINIMAL + "\n[citys]\n", "citys: unknown key; did you mean 'cities'?"),
        (MINIMAL.replace("question =", "questoin ="), "study.questoin: unknown key; did you mean 'question'?"),
        (with_city("populaton = 3"), "cities[0].populaton: unknown key; did you mean 'population'?"),
        (
            with_city('districts = [{ name = "x", alias = 1 }]'),
            "cities[0].districts[0].alias: unknown key; did you mean 'aliases'?",
        ),
        (MINIMAL + "ulr = 1", "cities[0].targets[0].ulr: unknown key; did you mean 'url'?"),
        (MINIMAL + 'tag = "x"', "cities[0].targets[0].tag: unknown key (source, kind, comparable, note, url)"),
        (MINIMAL + "[privacy]\nK = 5", "privacy.K: unknown key; did you mean 'k'?"),
        (MINIMAL + "[limits]\ndelay = 5", "limits.delay: unknown key; did you mean 'delay_seconds'?"),
        (MINIMAL + "[retention]\ndays = 5", "retention.days: unknown key; did you mean 'posts_days'?"),
        (MINIMAL + "[analysis]\nsede = 5", "analysis.sede: unknown key; did you mean 'seed'?"),
        (
            MINIMAL + '[codeframe.import]\nlabel.en = "x"\nwords.en = ["x"]\nlable = 1',
            "codeframe.import.lable: unknown key; did you mean 'label'?",
        ),
        (MINIMAL + '[[brands]]\nname = "x"\nowns = 1', "brands[0].owns: unknown key; did you mean 'owner'?"),
        (
            MINIMAL + '[[segments]]\nid = "x"\nlabel.en = "x"\nwords.en = ["x"]\nword = 1',
            "segments[0].word: unknown key; did you mean 'words'?",
        ),
        (
            MINIMAL + '[[offers]]\nname = "x"\nthemes = ["food"]\ntheme = 1',
            "offers[0].theme: unknown key; did you mean 'themes'?",
        ),
    ],
)
def test_an_unknown_key_of_any_depth_is_named_with_the_nearest_known(write_study: Write, text: str, said: str) -> None:
    assert said in problems(write_study(text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            MINIMAL.replace('country = "JO"', 'country = "Jordan"'),
            "found 'Jordan', expected an ISO 3166 code such as 'JO'",
        ),
        (
            MINIMAL.replace('["ar", "en"]', '["ar", "arabic"]'),
            "cities[0].languages[1]: found 'arabic', expected an ISO 639 code such as 'ar'",
        ),
        (
            with_city('aliases.Arabic = ["عمان"]'),
            "cities[0].aliases.Arabic: found 'Arabic', expected an ISO 639 code such as 'ar'",
        ),
        (with_city('aliases.ar = "عمان"'), "cities[0].aliases.ar: found 'عمان', expected a list in [ ]"),
        (with_city('aliases.ar = [""]'), "cities[0].aliases.ar[0]: found '', expected text that is not empty"),
        (with_city("population = 0"), "cities[0].population: found 0, expected more than 0"),
        (with_city("latitude = 91"), "cities[0].latitude: found 91, expected 90 or less"),
        (with_city("longitude = nan"), "cities[0].longitude: found nan, expected "),
        (with_city('districts = ["Abdoun"]'), "cities[0].districts[0]: found 'Abdoun', expected a table of keys"),
        (
            MINIMAL.replace('"Amman"', '"!!"'),
            "cities[0].name: found '!!', expected a name with letters or digits in it",
        ),
        (MINIMAL.replace('"Amman"', "7"), "cities[0].name: found 7, expected text in quotes"),
        (MINIMAL.replace('name = "Amman"', ""), "cities[0].name: missing, expected text in quotes"),
        (
            MINIMAL.replace('"feed"', '"fed"'),
            "bluesky, lemmy, discourse, nodebb, forum, osm_notes, open311, reddit, appstore, import; did you mean 'feed'?",
        ),
        (
            MINIMAL.replace('source = "feed"', ""),
            "cities[0].targets[0].source: missing, expected one of feed, telegram",
        ),
        (MINIMAL.replace('"forum"', '"forums"'), "video_comments; did you mean 'forum'?"),
        (MINIMAL.replace('kind = "forum"', ""), "cities[0].targets[0].kind: missing, expected one of forum, microblog"),
        (
            MINIMAL.replace("https://forum.example", "forum.example"),
            "expected a full web address that starts with http",
        ),
        (MINIMAL.replace("https://forum.example", "https://[bad"), "expected a full web address that starts with http"),
        (MINIMAL.replace("https://forum.example", "https://x:99999"), "expected a full web address that starts with"),
        (MINIMAL.replace("forum.example/", "forum.example/a b"), "expected a full web address that starts with http"),
        (MINIMAL.replace("https://", "ftp://"), "expected a full web address that starts with http:// or https://"),
        (MINIMAL.replace("https://", "https://me:pw@"), "expected a web address without a name or password in it"),
        (MINIMAL.replace("tests@example.org", "me"), "study.contact: found 'me', expected an e-mail or web address"),
        (MINIMAL.replace("tests@example.org", r"a@b\r\nX: y"), "expected an e-mail or web address by which"),
        (MINIMAL.replace('contact = "tests@example.org"', ""), "study.contact: missing, expected an e-mail or web"),
        (MINIMAL.replace('question = "What', 'database = ""\nquestion = "What'), "study.database: found '', expected"),
        (MINIMAL + "[privacy]\nk = 4", "privacy.k: found 4, expected 5 or more (the fewest voices that a figure may"),
        (
            MINIMAL + '[privacy]\nsecret = "hunter2"',
            "privacy.secret: found 'hunter2', expected 'file:PATH' or 'env:NAME'",
        ),
        (MINIMAL + '[privacy]\nlinks = "perhaps"', "privacy.links: found 'perhaps', expected true or false"),
        (MINIMAL + "[limits]\nretries = 1.5", "limits.retries: found 1.5, expected a whole number"),
        (MINIMAL + '[limits]\ntimeout_seconds = "long"', "limits.timeout_seconds: found 'long', expected a number"),
        (MINIMAL + "[limits]\ntimeout_seconds = 0", "limits.timeout_seconds: found 0, expected more than 0"),
        (MINIMAL + "[analysis]\ncut = 1", "analysis.cut: found 1, expected less than 1 (the least probability"),
        (
            MINIMAL + '[codeframe."Hair Care"]\nlabel.en = "x"\nwords.en = ["x"]',
            "expected lower-case letters, digits and _",
        ),
        (
            MINIMAL + '[codeframe.transport]\nlabel.en = "x"\nwords.en = ["x"]',
            "codeframe.transport: found the name of a built-in theme, expected another name",
        ),
        (MINIMAL + '[codeframe.hair]\nlabel.en = "x"', "codeframe.hair.words: missing, expected a table of keys"),
        (
            MINIMAL + '[[offers]]\nname = "x"\nthemes = ["trnsport"]',
            "offers[0].themes: found 'trnsport', expected a theme of the codeframe; did you mean 'transport'?",
        ),
        (
            MINIMAL + '[[offers]]\nname = "x"\nthemes = ["food"]\nkinds = ["problm"]',
            "offers[0].kinds[0]: found 'problm', expected one of problem, wish, preference; did you mean 'problem'?",
        ),
        (
            MINIMAL + "[limits]\ndelay_seconds = 0.1",
            "delay_seconds: found 0.1, expected at least 0.5 while a target (Amman: https://forum.example/latest.rss) is",
        ),
    ],
)
def test_a_wrong_value_is_told_with_what_was_found_and_expected(write_study: Write, text: str, said: str) -> None:
    found = problems(write_study(text))
    assert any(said in line for line in found), found


def test_no_message_speaks_of_patterns_or_types_of_the_library(write_study: Write) -> None:
    text = MINIMAL.replace('["ar", "en"]', '["english"]').replace('"JO"', "3") + '[limits]\nretries = "x"\n[[brands]]\n'
    for line in problems(write_study(text)):
        assert "pattern" not in line
        assert "nput should" not in line
        assert "FieldInfo" not in line


def test_all_problems_are_told_at_once(write_study: Write) -> None:
    text = MINIMAL.replace('"JO"', '"jo"').replace('"feed"', '"fed"') + "[privacy]\nk = 1\n[nothing]\n"
    assert len(problems(write_study(text))) == 4
    twice = '[[brands]]\nname = "A"\n[[brands]]\nname = "a"\n[[offers]]\nname = "x"\nthemes = ["nosuch"]\n'
    assert len(problems(write_study(MINIMAL + twice))) == 2


def test_a_delay_of_nothing_is_for_this_machine_alone(write_study: Write) -> None:
    here = MINIMAL.replace("https://forum.example", "http://127.0.0.1:1") + "[limits]\ndelay_seconds = 0"
    assert read_study(write_study(here)).limits.delay_seconds == 0
    near = here.replace("127.0.0.1", "127.0.0.1.example.org")
    assert problems(write_study(near))[0].startswith("limits.delay_seconds: found 0")


def test_slug_keeps_letters_of_any_script_and_nothing_that_steers_a_path() -> None:
    assert slug("São Paulo") == "sao-paulo"
    assert slug("Казань") == "казань"
    assert slug("شیراز") == "شیراز"
    assert slug("../../etc/passwd") == "etc-passwd"
    assert slug("!!") == ""


def test_a_target_that_is_a_person_is_not_named_in_clear() -> None:
    named = BlueskyTarget(source="bluesky", author="zuleykha.example.org")
    assert "zuleykha" not in named.name
    assert named.name == BlueskyTarget(source="bluesky", author="Zuleykha.example.org").name
    feed = BlueskyTarget(source="bluesky", feed="at://did:plc:abc/app.bsky.feed.generator/kazan")
    assert feed.name.startswith("feed kazan ")
    assert "did:plc" not in feed.name
    assert named.name != BlueskyTarget(source="bluesky", repository="zuleykha.example.org").name
