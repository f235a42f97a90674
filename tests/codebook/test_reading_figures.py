import pytest

from codebook.agreement.reading_figures import HIGH, HOLDS, LOW, UNKNOWN, UNSURE, WIDE, line, shown


def figure(value, low=None, high=None, n=100, reason=""):
    return {"value": value, "low": low, "high": high, "n": n, "reason": reason}


class TestMeaning:
    @pytest.mark.parametrize(
        ("said", "state"),
        [
            (figure(0.8, 0.75, 0.85), HOLDS),
            (figure(0.4, 0.3, 0.5), LOW),
            (figure(0.58, 0.5, 0.66), UNSURE),
            (figure(0.62, 0.6, 0.64), UNSURE),
            (figure(0.8, 0.61, 0.99), UNSURE),
            (figure(None, reason="Nothing is shared."), UNKNOWN),
            (figure(1.0, reason="One item.", n=1), UNKNOWN),
        ],
    )
    def test_it_is_what_the_interval_says_and_not_the_value_alone(self, said, state):
        assert shown(said).state == state

    def test_the_undefined_is_said_in_words_with_the_reason_and_is_no_number(self):
        found = shown(figure(None, reason="Nothing is shared."))
        assert found.words == "cannot be said yet"
        assert "Nothing is shared." in found.meaning
        assert (found.interval, found.bar) == ("", {})

    def test_a_wide_interval_says_how_many_cases_more_would_narrow_it(self):
        # Half as wide takes four times as many.
        assert "About 300 more cases" in shown(figure(0.8, 0.61 - 0.2, 1.01, n=100)).meaning

    def test_a_narrow_one_that_holds_the_threshold_asks_for_no_more(self):
        assert "more cases" not in shown(figure(0.6, 0.55, 0.65)).meaning


class TestDrawing:
    def test_what_lies_below_nought_stands_at_the_beginning(self):
        assert shown(figure(-0.2, -0.5, 0.1)).bar == {"left": "0.0", "width": "12.0", "at": "0.0"}

    def test_a_line_stays_within_its_picture_and_breaks_where_nothing_is_defined(self):
        points = [
            {"until": f"2026-0{place + 1}-01", "alpha": one}
            for place, one in enumerate(
                [figure(-0.5, -0.9, 0.1), figure(1, 0.9, 1), figure(None), figure(0.5, 0.4, 0.6)]
            )
        ]
        drawn = line(points, "alpha")
        assert (len(drawn.lines), len(drawn.bands), len(drawn.dots)) == (1, 1, 1)
        places = [tuple(map(float, place.split(","))) for run in (*drawn.lines, *drawn.bands) for place in run.split()]
        assert all(0 <= x <= WIDE and 0 <= y <= HIGH for x, y in places)
        assert (drawn.since, drawn.until, drawn.words) == ("2026-01-01", "2026-04-01", "from -0.50 to 0.50")

    @pytest.mark.parametrize("points", [[], [{"until": "2026-01-01", "alpha": figure(None)}]])
    def test_there_is_no_line_without_a_figure(self, points):
        assert line(points, "alpha") is None
