import pytest

from queues.intake.reading import JSON_COLUMNS, LINE_BYTES, NUMBER_COLUMNS, Broken, document, lines, table
from queues.intake.rows import Unreadable
from queues.intake.schema import EscalatedCase


def errors(rows):
    return [row.error for row in rows if isinstance(row, Unreadable)]


@pytest.mark.parametrize("size", [1, 3, 7, 4096])
def test_lines_are_the_same_however_the_bytes_arrive(size):
    body = b'\xef\xbb\xbf{"a": 1}\r\n\n  \n{"b": "x\\ny"}\n{"c": 3}'
    blocks = [body[start : start + size] for start in range(0, len(body), size)]
    assert list(lines(blocks)) == [{"a": 1}, {"b": "x\ny"}, {"c": 3}]


def test_a_line_that_is_not_json_is_named_and_the_others_are_read():
    rows = list(lines([b'{"a": 1}\n{"a": \n{"a": 3}\n{"a": NaN}\n\xff\n']))
    assert rows[0] == {"a": 1}
    assert rows[2] == {"a": 3}
    assert errors(rows)[0].startswith("Line 2 is not JSON: EOF while parsing a value at column")
    assert [error.split(" is not")[0] for error in errors(rows)] == ["Line 2", "Line 4", "Line 5"]


def test_an_endless_line_is_not_kept_in_memory():
    def blocks():
        for _ in range(LINE_BYTES // 65536 + 20):
            yield b"x" * 65536
        yield b'\n{"a": 1}\n'

    rows = list(lines(blocks()))
    assert errors(rows) == ["Line 1 is longer than 6,000,000 bytes."]
    assert rows[1] == {"a": 1}


def test_half_a_character_does_not_make_the_line_unreadable():
    assert list(lines([b'{"a": "\\ud800"}\n'])) == [{"a": "\ud800"}]
    assert document(b'[{"a": "\\ud800"}, {"b": 1}]') == [{"a": "\ud800"}, {"b": 1}]


def test_a_document_is_one_object_or_an_array():
    assert document(b'{"a": 1}') == [{"a": 1}]
    assert document(b'\xef\xbb\xbf [{"a": 1}, 2]') == [{"a": 1}, 2]
    assert document(b"[]") == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "The body is empty."),
        (b"5", "The body must be a JSON object (one case) or an array of them."),
        (b'{"a": 1,}', "at line 1, column 9"),
        (b'[{"a": 1},\n {"a": 2},\n {"a" 3}]', "at line 3, column 7 (entry 2). Nothing was taken."),
        (b'[{"a": 1}, {"a": [1, {"b": "],"}]}, x]', "(entry 2)"),
        (b'{"a": 1}\n{"a": 2}\n', "One case per line goes with Content-Type: application/x-ndjson."),
        (b"[" * 100_000, "The body is not JSON: recursion limit exceeded"),
        (b'"\\ud800' + b"[" * 100_000, "The body is not JSON"),
        (b"\xff\xfe", "The body is not JSON"),
    ],
)
def test_a_broken_document_says_where(body, said):
    with pytest.raises(Broken) as broken:
        document(body)
    assert said in str(broken.value)


def test_a_number_no_double_can_hold_is_refused_not_stored():
    rows = list(lines([b'{"a": 1e999}\n']))
    assert errors(rows) or rows[0]["a"] == float("inf")  # the schema refuses it by name


class TestTables:
    def rows(self, text):
        return list(table(text.splitlines(keepends=True)))

    def test_columns_are_fields(self):
        text = "case_id;user_question;groundedness;user_requested_human;tool_results\n"
        text += 'c-1;"Why?\nReally?";0.5;yes;"[{""status"": ""ok""}]"\n'
        assert self.rows(text) == [
            {
                "case_id": "c-1",
                "user_question": "Why?\nReally?",
                "groundedness": 0.5,
                "user_requested_human": True,
                "tool_results": [{"status": "ok"}],
            }
        ]

    def test_evidence_may_take_a_column_each(self):
        text = "case_id,evidence_2_document_id,evidence_1_document_id,evidence_1_quote,evidence_1_score\n"
        text += "c,b,a,q,0.5\nd,b,,,\n"
        first, second = self.rows(text)
        assert first["evidence"] == [{"document_id": "a", "quote": "q", "score": 0.5}, {"document_id": "b"}]
        assert second["evidence"] == [{"document_id": "b"}]

    def test_an_empty_cell_is_a_field_that_was_not_sent_but_a_question_may_be_empty(self):
        assert self.rows("\ufeffcase_id,topic,user_question\nc,,\n") == [{"case_id": "c", "user_question": ""}]

    def test_what_cannot_be_read_is_said_and_the_rest_is_taken(self):
        rows = self.rows("case_id,metadata,groundedness\na,{x,1\nb,,high\nc,{},1,9\nd,,2\n")
        assert errors(rows)[0] == "metadata: is not JSON: key must be a string."
        assert rows[1] == {"case_id": "b", "groundedness": "high"}
        assert "Line 4 has 4 cells, but the first line names 3 columns." in errors(rows)[1]
        assert rows[3] == {"case_id": "d", "groundedness": 2.0}

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "The file is empty."),
            ("question,answer\n", "names no column case_id"),
            ("case_id,topic,topic\n", "names the column topic twice"),
        ],
    )
    def test_a_head_that_names_no_fields_is_refused(self, text, said):
        with pytest.raises(Broken) as broken:
            self.rows(text)
        assert said in str(broken.value)

    def test_columns_that_are_read_as_json_or_numbers_are_fields_of_a_case(self):
        assert set(EscalatedCase.model_fields) >= JSON_COLUMNS | NUMBER_COLUMNS
