from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from citystudy.cli import app
from citystudy.codeframe import CODED_LANGUAGES, KINDS, THEMES
from citystudy.demo.server import demo_posts
from citystudy.store import Statement
from citystudy.text import full_text
from nlp.coder.model import shipped
from nlp.evaluation import (
    Compared,
    GoldPost,
    agreement,
    by_theme,
    confusion,
    evaluation,
    read_gold,
    score,
    span_f1,
    was_trained_on,
)
from nlp.json_lines import BadRow
from nlp.training.texts import coded_posts, shared_folder, written_posts

codes = st.frozensets(st.tuples(st.sampled_from(KINDS), st.sampled_from(THEMES)), max_size=3)


def compared(truth: set[tuple[str, str]], found: set[tuple[str, str]], lang: str = "en") -> Compared:
    statements = [Statement(kind, theme, 0, 3, 0.9) for kind, theme in sorted(found)]
    return Compared(GoldPost("1", "a text", lang, "forum", frozenset(truth)), lang, statements)


class TestScore:
    def test_counts_over_all_posts_together(self) -> None:
        result = score([frozenset("ab"), frozenset("c"), frozenset()], [frozenset("a"), frozenset("d"), frozenset("e")])
        assert result.n == 3
        assert result.found == 3
        assert result.precision.value == pytest.approx(1 / 3)
        assert result.recall.value == pytest.approx(1 / 3)
        assert result.f1.value == pytest.approx(1 / 3)

    def test_precision_and_recall_are_not_taken_for_each_other(self) -> None:
        result = score([frozenset("ab")], [frozenset("a")])
        assert (result.precision.value, result.recall.value) == (1, 0.5)
        assert result.f1.value == pytest.approx(2 / 3)

    def test_nothing_to_find_and_nothing_claimed_is_perfect(self) -> None:
        assert score([frozenset()], [frozenset()]).f1.value == 1
        assert score([], []).f1.value == 1

    def test_the_interval_is_narrow_with_many_posts_and_wide_with_few(self) -> None:
        truth, found = [frozenset("a")] * 2, [frozenset("a"), frozenset("b")]
        few, many = score(truth * 5, found * 5), score(truth * 500, found * 500)
        assert few.f1.high - few.f1.low > 5 * (many.f1.high - many.f1.low) > 0
        # Of 1,000 posts half are right: the standard error is .0158.
        assert many.f1.low == pytest.approx(0.5 - 1.96 * 0.0158, abs=0.006)
        assert many.f1.high == pytest.approx(0.5 + 1.96 * 0.0158, abs=0.006)

    @given(st.lists(st.tuples(codes, codes), min_size=1, max_size=20))
    def test_f1_is_symmetric_and_the_interval_holds_it(self, pairs: list[tuple[frozenset, frozenset]]) -> None:
        truth, found = [a for a, _ in pairs], [b for _, b in pairs]
        one, other = score(truth, found), score(found, truth)
        assert one.f1.value == pytest.approx(other.f1.value)
        assert one.precision.value == pytest.approx(other.recall.value) or not (one.n and one.found)
        assert 0 <= one.f1.low <= one.f1.high <= 1


class TestGold:
    def read(self, *rows: object) -> list[GoldPost | BadRow]:
        return list(read_gold(row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows))

    def test_a_row_is_read_with_its_spans(self) -> None:
        row = {"id": 7, "text": "no water", "lang": "en", "source": "x", "codes": []}
        row["codes"] = [
            {"kind": "problem", "theme": "utilities", "span": [0, 8]},
            {"kind": "wish", "theme": "utilities"},
        ]
        [post] = self.read(row)
        assert isinstance(post, GoldPost)
        assert post.id == "7"
        assert post.codes == {("problem", "utilities"), ("wish", "utilities")}
        assert post.spans == {("problem", "utilities"): (0, 8)}

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            (b"{", "not valid JSON"),
            (b"\xff", "not UTF-8"),
            (b"[]", "the line"),
            (b'{"codes": []}', "text"),
            (b'{"text": "a"}', "codes"),
            (b'{"text": "a", "codes": [{"kind": "mood", "theme": "food"}]}', "codes.0.kind: found 'mood'"),
            (b'{"text": "a", "codes": [{"kind": "wish", "theme": ""}]}', "codes.0.theme"),
            (b'{"text": "a", "codes": [{"kind": "wish", "theme": "food", "span": [0, 9]}]}', "span: found [0, 9]"),
            (b'{"text": "a", "codes": [{"kind": "wish", "theme": "food", "span": [1, 1]}]}', "span: found [1, 1]"),
        ],
    )
    def test_a_bad_row_is_told_with_its_line_and_loses_no_other(self, line: bytes, reason: str) -> None:
        good = {"text": "fine", "codes": []}
        first, bad, last = self.read(good, line, good)
        assert isinstance(first, GoldPost)
        assert isinstance(last, GoldPost)
        assert isinstance(bad, BadRow)
        assert bad.line == 2
        assert reason in bad.reason


class TestSpans:
    def test_words_count_not_letters(self) -> None:
        text = "the water is off since morning"
        assert span_f1((0, 16), (0, 16), text) == 1
        # "the water is off" against "is off since morning": two of four words each.
        assert span_f1((0, 16), (10, 30), text) == pytest.approx(0.5)
        assert span_f1((0, 9), (17, 30), text) == 0

    def test_a_word_that_is_cut_counts(self) -> None:
        assert span_f1((0, 5), (0, 7), "broken lift") == pytest.approx(2 / 3, abs=0.34)
        assert span_f1((0, 3), (0, 6), "broken lift") == 1

    @given(st.text(alphabet="ab \nя", min_size=1, max_size=30), st.data())
    def test_a_span_agrees_with_itself(self, text: str, data: st.DataObject) -> None:
        start = data.draw(st.integers(0, len(text) - 1))
        end = data.draw(st.integers(start + 1, len(text)))
        assert span_f1((start, end), (start, end), text) == (1 if text[start:end].strip() else 0)


class TestAgreement:
    def test_kinds_codes_and_emptiness(self) -> None:
        posts = [
            compared({("problem", "food")}, {("problem", "money")}),  # kind right, theme wrong
            compared({("wish", "food")}, {("wish", "food")}),
            compared(set(), set()),
            compared(set(), {("preference", "food")}),
        ]
        result = agreement("all", posts)
        assert result.kind.f1.value == pytest.approx(2 * 2 / 5)
        assert result.code.f1.value == pytest.approx(2 * 1 / 5)
        assert result.each["problem"].f1.value == 1
        assert result.each["preference"].precision.value == 0
        assert (result.empty.precision.value, result.empty.recall.value) == (1, 0.5)
        assert result.span is None

    def test_by_theme_counts_both_sides(self) -> None:
        themes = by_theme([compared({("problem", "food")}, {("problem", "money")})])
        assert list(themes) == ["food", "money"]
        assert (themes["food"].n, themes["food"].found) == (1, 0)
        assert (themes["money"].n, themes["money"].found) == (0, 1)

    def test_confusion_pairs_what_is_left(self) -> None:
        met = confusion(
            [frozenset({"wish"}), frozenset({"problem"}), frozenset(), frozenset()],
            [frozenset({"wish"}), frozenset({"wish"}), frozenset({"problem"}), frozenset()],
        )
        assert met == {("wish", "wish"): 1, ("problem", "wish"): 1, ("none", "problem"): 1, ("none", "none"): 1}

    @given(
        st.lists(st.tuples(st.frozensets(st.sampled_from(KINDS)), st.frozensets(st.sampled_from(KINDS))), max_size=9)
    )
    def test_confusion_loses_no_label(self, pairs: list[tuple[frozenset[str], frozenset[str]]]) -> None:
        met = confusion([a for a, _ in pairs], [b for _, b in pairs])
        for kind in KINDS:
            assert sum(n for (a, _), n in met.items() if a == kind) == sum(kind in a for a, _ in pairs)
            assert sum(n for (_, b), n in met.items() if b == kind) == sum(kind in b for _, b in pairs)

    def test_groups_and_posts_of_other_languages(self) -> None:
        one = compared({("wish", "food")}, {("wish", "food")})
        other = Compared(GoldPost("2", "metin", "tr", "x", frozenset()), "tr", [])
        result = evaluation([one, other], by=["lang", "source", "theme"])
        assert [group.group for group in result.groups] == ["all", "en", "source forum"]
        assert result.other_languages == 1
        assert list(result.themes) == ["food"]
        assert evaluation([other]).groups == []


class TestSeenPosts:
    def test_a_written_post_is_known_by_its_opening_and_a_new_one_is_not(self) -> None:
        for lang in CODED_LANGUAGES:
            post = next(post for post in written_posts(lang) if len(post.text.split()) > 12)
            assert was_trained_on(post.text, lang)
            assert was_trained_on(post.text.upper() + " !!! https://example.org", lang)
            assert not was_trained_on("zzz " + post.text, lang)

    def test_no_demonstration_post_was_learned_from(self) -> None:
        long = [post for post in demo_posts() if len(full_text(post.title, post.text).split()) > 8]
        assert not [post for post in long if was_trained_on(full_text(post.title, post.text), post.lang)]

    @pytest.mark.shared
    @pytest.mark.skipif(shared_folder() is None, reason="the shared data is absent: set CITYSTUDY_SHARED to its folder")
    @pytest.mark.parametrize("lang", CODED_LANGUAGES)
    def test_every_coded_post_is_known_to_the_shipped_model(self, lang: str) -> None:
        assert len(shipped(lang).trained) > 1000
        assert all(was_trained_on(post.text, lang) for post in coded_posts(lang))


class TestCommand:
    @pytest.fixture
    def gold(self, tmp_path: Path) -> Path:
        path = tmp_path / "gold.jsonl"
        rows = [
            {"id": "1", "text": "No water in our building since yesterday", "lang": "en", "source": "forum"},
            {"id": "2", "text": "Нет воды с самого утра, безобразие", "lang": "ru", "source": "vk"},
        ]
        codes = [{"kind": "problem", "theme": "utilities"}]
        path.write_text("".join(json.dumps({**row, "codes": codes}) + "\n" for row in rows), encoding="utf-8")
        return path

    def test_it_prints_figures_and_json(self, gold: Path) -> None:
        shown = CliRunner().invoke(app, ["evaluate", str(gold), "--by", "lang,theme"])
        assert shown.exit_code == 0, shown.output
        assert "kind F1" in shown.stdout
        assert "utilities" in shown.stdout
        result = CliRunner().invoke(app, ["evaluate", str(gold), "--by", "source", "--json"])
        document = json.loads(result.stdout)
        assert [group["group"] for group in document["evaluation"]["groups"]] == ["all", "source forum", "source vk"]
        assert document["evaluation"]["groups"][0]["posts"] == 2

    def test_a_bad_line_is_told_and_the_rest_measured(self, gold: Path) -> None:
        with gold.open("a", encoding="utf-8") as file:
            file.write('{"text": "x"}\n')
        result = CliRunner().invoke(app, ["evaluate", str(gold)])
        assert result.exit_code == 3
        assert "line 3" in result.stderr
        assert "kind F1" in result.stdout

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["missing.jsonl"], "name a JSON Lines file"),
            (["{gold}", "--by", "mood"], "--by: found 'mood', expected any of lang, theme, source"),
        ],
    )
    def test_wrong_use_is_told_in_one_line(self, gold: Path, arguments: list[str], message: str) -> None:
        result = CliRunner().invoke(app, ["evaluate", *(part.replace("{gold}", str(gold)) for part in arguments)])
        assert result.exit_code == 1
        assert message in result.stderr
        assert "Traceback" not in result.output

    def test_a_file_of_seen_posts_only_has_nothing_unseen(self, tmp_path: Path) -> None:
        path = tmp_path / "gold.jsonl"
        row = {"text": next(written_posts("en")).text, "lang": "en", "codes": []}
        path.write_text(json.dumps(row) + "\n", encoding="utf-8")
        assert "has learned from" in CliRunner().invoke(app, ["evaluate", str(path)]).stdout
        result = CliRunner().invoke(app, ["evaluate", str(path), "--unseen"])
        assert result.exit_code == 1
        assert "the coder has learned from all 1;" in result.stderr

    def test_a_file_without_posts_in_a_coded_language(self, tmp_path: Path) -> None:
        path = tmp_path / "gold.jsonl"
        path.write_text("", encoding="utf-8")
        result = CliRunner().invoke(app, ["evaluate", str(path)])
        assert result.exit_code == 1
        assert "no post is left to measure on" in result.stderr
