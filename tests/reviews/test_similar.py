from reviews import similar

NOTES = {
    1: "Promises a refund without any evidence for it",
    2: "promises a refund, without evidence",
    3: "Refund promised, no evidence in the ledger for a refund",
    4: "Answers in English although the customer wrote German",
    5: "customer wrote German, answers in English",
    6: "Rude",
    7: "The tone is rude and short with a customer who is upset",
}


def test_notes_that_share_their_words_are_proposed_together_whatever_the_order():
    groups = [set(group) for group in similar.proposals(NOTES)]
    assert {4, 5} in groups
    assert any({1, 2} <= group for group in groups)


def test_a_note_is_in_one_group_at_most_and_one_alone_is_no_group():
    groups = similar.proposals(NOTES)
    everyone = [key for group in groups for key in group]
    assert len(everyone) == len(set(everyone))
    assert all(len(group) > 1 for group in groups)


def test_one_word_does_not_draw_every_longer_note_that_holds_it():
    assert similar.similarity("Rude", "Rude") == 100
    assert not any(6 in group for group in similar.proposals(NOTES))


def test_a_chain_of_small_steps_joins_nothing_that_has_nothing_in_common():
    chain = {
        1: "red green blue white",
        2: "red green blue black",
        3: "black blue grey pink",
        4: "black brown grey pink",
    }
    assert not any({1, 4} <= set(group) for group in similar.proposals(chain, alike=60))


def test_the_largest_group_comes_first():
    notes = {1: "wrong source was quoted", 2: "wrong source quoted", 3: "a a a a", 4: "a a a", 5: "quoted wrong source"}
    assert set(similar.proposals(notes)[0]) == {1, 2, 5}


def test_nothing_is_nothing():
    assert similar.proposals({}) == []
    assert similar.proposals({1: "  ", 2: "…"}) == []
