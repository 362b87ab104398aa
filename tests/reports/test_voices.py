from __future__ import annotations

from report_world import World

from reports.corpus import read_corpus
from reports.findings.model import Need
from reports.findings.voices import Heard, Panel, hear

TRANSPORT = Need("problem", "transport")


def heard(world: World) -> Heard:
    with world.store() as store:
        return hear(read_corpus(store), 5)


def panel(result: Heard, *, known: bool = True) -> Panel:
    return next(p for p in result.panels if p.city == "alfa" and p.authors_known == known)


def test_one_loud_author_is_one_voice(world: World) -> None:
    world.crowd("alfa", 6)
    for _ in range(20):
        world.post("alfa", "loud", codes=[("problem", "transport")])
    found = panel(heard(world))
    assert len(found.voices) == 7
    assert found.said[TRANSPORT] == {"loud"}
    assert len(found.spoken[TRANSPORT]) == 20


def test_a_campaign_over_several_accounts_is_one_voice_and_its_copies_are_counted(world: World) -> None:
    world.crowd("alfa", 6)
    world.echoes.append(
        [world.post("alfa", f"bot{i}", f"2026-03-0{9 - i}", [("problem", "transport")]) for i in range(8)]
    )
    result = heard(world)
    assert panel(result).said[TRANSPORT] == {"bot7"}, "the earliest post speaks for the campaign"
    assert result.left_out["alfa"] == {"echo": 7}


def test_authors_known_and_unknown_never_meet(world: World) -> None:
    world.crowd("alfa", 6)
    for _ in range(7):
        world.post("alfa", None)
    result = heard(world)
    assert len(panel(result).voices) == 6
    assert len(panel(result, known=False).voices) == 7


def test_every_post_left_out_has_a_reason(world: World) -> None:
    world.crowd("alfa", 6)
    world.post("alfa", "a", advert=True)
    world.post("alfa", "b", lang=None, coded=False)
    world.post("alfa", "c", lang="tl", coded=False)
    world.post("alfa", "d", lang="ru")
    del world.readings[world.post("alfa", "e")]
    result = heard(world)
    assert result.left_out["alfa"] == {
        "advert": 1, "language_unknown": 1, "language_not_coded": 1, "language_under_k": 1, "not_read": 1,
    }  # fmt: skip
    assert len(world.posts) == 6 + sum(result.left_out["alfa"].values())


def test_a_post_of_which_only_the_country_is_known_enters_no_citys_base_until_it_names_the_city(world: World) -> None:
    world.crowd("alfa", 6)
    world.post("alfa", "abroad", codes=[("problem", "transport")], basis="country")
    world.post("alfa", "local", codes=[("problem", "transport")], basis="mention")
    result = heard(world)
    assert len(panel(result).voices) == 7
    assert panel(result).said[TRANSPORT] == {"local"}
    assert result.left_out["alfa"] == {"city_unknown": 1}


def test_an_advert_does_not_speak_for_its_echoes(world: World) -> None:
    world.crowd("alfa", 6)
    first = world.post("alfa", "shop", "2026-01-01", advert=True)
    world.echoes.append([first, world.post("alfa", "person")])
    result = heard(world)
    assert "person" in panel(result).voices
    assert result.left_out["alfa"] == {"advert": 1}


def test_a_topics_base_is_its_languages_voices(world: World) -> None:
    world.crowd("alfa", 6)
    world.crowd("alfa", 8, 6, lang="ar", topic="x")
    found = panel(heard(world))
    assert len(found.base(TRANSPORT)) == 14
    assert len(found.base(Need("problem", "transport", "x", "ar"))) == 8
