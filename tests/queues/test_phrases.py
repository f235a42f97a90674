import pytest

from queues.phrases import PERSON_PHRASES, Phrases

EVERY = Phrases(phrase for phrases in PERSON_PHRASES.values() for phrase in phrases)


@pytest.mark.parametrize(
    "text",
    [
        "Can I speak to a human?",
        "hello! good morning!! can i speak with a real person please?",
        "LET ME TALK TO A PERSON already",
        "I'd like to speak to an actual person.",
        "I demand a refund, put me through with a real person!",
        "Ich möchte mit einem Menschen sprechen!",
        "Bitte verbinden Sie mich",
        "ich will mit einem richtigen Mitarbeiter reden",
        "Je voudrais parler à quelqu’un",
        "JE VEUX PARLER A UN CONSEILLER",
        "Quiero hablar con una persona, por favor",
        "¿Puedo hablar con algún agente?",
        "Vorrei parlare con un operatore",
        "Quero falar com um atendente",
        "Posso falar com alguém?",
        "Ik wil met een medewerker spreken",
        "kan ik iemand spreken",
    ],
)
def test_hears_a_user_ask_for_a_person(text):
    assert EVERY.find(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "How do I talk to a person with dementia?",
        "Is Sherlock Holmes a real person?",
        "What does a letting agent charge?",
        "are you a human or are you a computer",
        "speak to me in dutch",
        "Wie viele Menschen leben in Wien?",
        "Quels sont les droits de la personne ?",
        "Cuántas personas viven en Lima",
        "humanspeak toa",
    ],
)
def test_does_not_take_other_talk_of_people_for_it(text):
    assert EVERY.find(text) is None


def test_dots_stand_for_up_to_three_words():
    phrases = Phrases(["speak ... boss"])

    assert phrases.find("let me speak boss")
    assert phrases.find("speak to your big boss")
    assert not phrases.find("speak to your very big boss")
    assert not phrases.find("bespeak boss")


def test_accents_capitals_punctuation_and_hidden_characters_do_not_matter():
    phrases = Phrases(["Parler à un être humain"])

    assert phrases.find("PARLER\u00a0A UN\nETRE… hu\u200bmain")
    assert phrases.find("parler a\u0300 un e\u0302tre humain")


def test_scripts_without_spaces_are_searched_for_as_written():
    phrases = Phrases(["人工客服", "担当者と話したい"])

    assert phrases.find("请转人工客服,谢谢") == "人工客服"
    assert phrases.find("担当者と話したいです") == "担当者と話したい"
    assert phrases.find("客服") is None


def test_says_which_phrase_it_was():
    assert Phrases(["human please", "agent please"]).find("an agent, please") == "agent please"


def test_an_empty_list_hears_nothing():
    assert Phrases([]).find("human please") is None
    assert Phrases(["...", " ", "?!"]).find("human please ?!") is None
