"""`manage.py agreement FILE`: no test here may touch a database, and none could, being without its mark."""

import json

import pytest
from django.core.management import CommandError, call_command

HEAD = "item,annotator,value\n"


@pytest.fixture
def run(tmp_path, capsys):
    def ran(content, **options):
        file = tmp_path / "labels.csv"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        call_command("agreement", file, **options)
        return capsys.readouterr().out

    return ran


@pytest.fixture
def figures(run):
    return lambda content, **options: json.loads(run(content, json=True, **options))


def refused(run, content, **options):
    with pytest.raises(CommandError) as refusal:
        run(content, **options)
    return str(refusal.value)


def table(*rows, head="item,annotator,value"):
    """One row per item: its values by annotators a, b, c …, a dot for none."""
    lines = [f"{n},{'abcdef'[who]},{value}" for n, row in enumerate(rows) for who, value in enumerate(row.split())]
    return "\n".join([head, *(line.removesuffix(".") for line in lines)]) + "\n"


NUMBERS = table("1 1 . 1", "2 2 3 2", "3 3 3 3", "3 3 3 3", "2 2 2 2", "1 2 3 4", "4 4 4 4", "1 1 2 1", "2 2 2 2")


class TestFigures:
    def test_json_has_each_with_its_interval_and_its_items(self, figures):
        found = figures(NUMBERS)

        assert list(found) == ["percent_agreement", "cohen_kappa", "gwet_ac1", "krippendorff_alpha"]
        alpha = found.pop("krippendorff_alpha")
        assert list(alpha) == ["nominal", "ordinal", "interval"]
        for figure in (*found.values(), *alpha.values()):
            assert list(figure) == ["value", "low", "high", "n_items"]
            assert figure["low"] <= figure["value"] <= figure["high"]
            assert figure["n_items"] == 9

    def test_the_published_ones_of_krippendorffs_four_observers(self, figures):
        units = "1,1,.,1 2,2,3,2 3,3,3,3 3,3,3,3 2,2,2,2 1,2,3,4 4,4,4,4 1,1,2,1 2,2,2,2 .,5,5,5 .,.,1,1 .,3,.,."
        alpha = figures(table(*(unit.replace(",", " ") for unit in units.split())))["krippendorff_alpha"]

        assert {level: round(figure["value"], 3) for level, figure in alpha.items()} == {
            "nominal": 0.743,
            "ordinal": 0.815,
            "interval": 0.849,
        }

    def test_an_undefined_one_is_null_with_its_reason(self, figures):
        found = figures(table("yes yes", "yes yes", "yes yes"))

        assert found["percent_agreement"]["value"] == 1
        assert found["cohen_kappa"] == {
            "value": None,
            "low": None,
            "high": None,
            "n_items": 3,
            "reason": "Both raters gave one and the same value throughout, so agreement cannot be told from chance.",
        }
        assert found["krippendorff_alpha"]["nominal"]["value"] is None

    @pytest.mark.parametrize("content", [HEAD, table(". .", ". ."), table("yes .", ". no")])
    def test_nothing_to_compare_is_said_of_each(self, figures, content):
        found = figures(content)

        assert found["percent_agreement"]["value"] is None
        assert "nothing to compare" in found["krippendorff_alpha"]["interval"]["reason"] + str(found["gwet_ac1"])

    def test_the_same_file_gives_the_same_figures(self, figures):
        assert figures(NUMBERS) == figures(NUMBERS)


class TestValues:
    def test_numbers_are_compared_as_numbers(self, figures):
        assert figures(NUMBERS.replace("a,1\n", "a,1.0\n").replace("b,3\n", "b,03\n")) == figures(NUMBERS)

    def test_but_long_ones_are_not_taken_for_each_other(self, figures):
        found = figures(table("9007199254740993 9007199254740992", "1 1"))

        assert found["percent_agreement"]["value"] == 0.5

    def test_words_need_an_order_to_be_ranked_and_have_no_distance(self, figures):
        words = table("bad bad", "fair good", "good good", "bad fair")
        without, ordered = figures(words), figures(words, order="bad, fair, good")

        assert "order" in without["krippendorff_alpha"]["ordinal"]["reason"]
        assert ordered["krippendorff_alpha"]["ordinal"]["value"] > ordered["krippendorff_alpha"]["nominal"]["value"]
        for found in (without, ordered):
            assert found["krippendorff_alpha"]["interval"]["value"] is None
            assert "not all numbers" in found["krippendorff_alpha"]["interval"]["reason"]

    def test_another_order_is_another_figure(self, figures):
        words = table("bad bad", "fair good", "good good", "bad fair")
        one, other = (
            figures(words, order=order)["krippendorff_alpha"]["ordinal"] for order in ("bad,fair,good", "fair,bad,good")
        )

        assert one["value"] != other["value"]

    def test_a_scale_of_numbers_may_end_in_a_word_that_nobody_used(self, figures):
        plain, with_word = figures(NUMBERS), figures(NUMBERS, order="1,2,3,4,n/a")

        assert with_word["krippendorff_alpha"] == plain["krippendorff_alpha"]
        assert with_word["gwet_ac1"]["value"] > plain["gwet_ac1"]["value"]

    @pytest.mark.parametrize("word", ["nan", "inf", "1_000", "1,5", "n/a"])
    def test_what_is_no_number_makes_all_of_them_words(self, figures, word):
        found = figures(table("1 1", "2 1", "2 2") + f'9,a,"{word}"\n9,b,1\n')

        assert found["krippendorff_alpha"]["interval"]["value"] is None
        assert found["krippendorff_alpha"]["nominal"]["value"] is not None


class TestFile:
    @pytest.mark.parametrize(
        "written",
        [
            NUMBERS.replace(",", ";"),
            NUMBERS.replace(",", "\t"),
            "\ufeff" + NUMBERS.replace("\n", "\r\n"),
            NUMBERS.replace("item,annotator,value", " Item ,Annotator,VALUE"),
            NUMBERS.replace("\n", "\n\n"),
            "note,value,item,annotator\n"
            + "".join("hm,{2},{0},{1}\n".format(*row.split(",")) for row in NUMBERS.splitlines()[1:]),
        ],
        ids=["semicolons", "tabs", "from a spreadsheet", "head", "blank lines", "other columns and order"],
    )
    def test_may_be_written_otherwise(self, figures, written):
        assert figures(written) == figures(NUMBERS)

    def test_a_row_that_ends_early_has_no_value(self, figures):
        assert figures(NUMBERS + "20,a\n20,b,1\n")["percent_agreement"]["n_items"] == 9

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("", "names no column item and no column annotator and no column value"),
            ("item,rater,value\n1,a,x\n", "names no column annotator."),
            ("item,annotator,value,value\n", "names the column value twice"),
            (HEAD + "1,a,x\n1,b,x\n1,a,y\n", "line 4 rates item '1' by 'a' again, after line 2"),
            (HEAD + ",a,x\n", "line 2 names no item"),
            (HEAD + "1, ,x\n", "line 2 names no annotator"),
            (HEAD + "1,a,x,y\n", "line 2 has 4 cells for 3 columns"),
            (HEAD.encode() + b"1,a,\xff\n", "not UTF-8"),
        ],
    )
    def test_with_mistakes_is_refused_with_the_place(self, run, content, said):
        assert said in refused(run, content)

    def test_with_many_mistakes_names_the_first_and_counts_the_others(self, run):
        said = refused(run, HEAD + ",a,x\n" * 12)

        assert said.startswith("Nothing was computed")
        assert "line 6 names no item\n  and 7 more" in said
        assert "line 7" not in said

    def test_that_is_not_there_is_said(self, tmp_path):
        with pytest.raises(CommandError, match="cannot be read: No such file"):
            call_command("agreement", tmp_path / "none.csv")


class TestOrder:
    @pytest.mark.parametrize(
        ("order", "said"),
        [
            ("1,2", "leaves out. Name all, lowest first:\n  '3'\n  '4'"),
            ("1,2,2,3,4", "names 2 twice"),
            ("1,1.0,2,3,4", "names the same number twice"),
            ("1,,2", "at least two values"),
            ("", "at least two values"),
        ],
    )
    def test_that_does_not_fit_is_refused(self, run, order, said):
        assert said in refused(run, NUMBERS, order=order)


class TestTable:
    def test_reads_at_a_glance(self, run):
        out = run(table("bad bad", "fair good", "good good", "bad fair"), order="bad,fair,good").splitlines()

        assert out[0] == "8 ratings of 4 items by 2 annotators."
        assert out[2].split() == ["value", "95%", "interval", "items"]
        assert out[3].split()[:3] == ["Percent", "agreement", "0.500"]
        assert out[4].startswith("Cohen's kappa  ")
        assert out[8].startswith("Krippendorff's alpha, interval  undefined: The values are not all numbers")

    def test_says_that_kappa_is_a_mean_and_of_how_many_pairs(self, run):
        assert "Cohen's kappa, mean of 6 pairs" in run(NUMBERS)
