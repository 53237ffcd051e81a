use super::*;

fn away(needs: &str, why: Vec<Why>) -> Sight {
    Sight::Away { needs: needs.to_owned(), channel: false, since: "T".to_owned(), why }
}

fn back(needs: &str, channel: bool, after: u64) -> Sight {
    Sight::Back { needs: needs.to_owned(), channel, after }
}

#[test]
fn what_is_away_is_read_with_why() {
    let waits = Why::Waits { batches: 7, kib: 500, most: 1024 };
    let said = |words: &str| Why::Said { words: words.to_owned() };
    for (text, sight) in [
        ("the store is away since T: no route", away("store", vec![said("no route")])),
        (
            "the queue is away since T: it does not answer within 5s",
            away("queue", vec![Why::NoAnswer { within: "5s".into() }]),
        ),
        ("the queue is away since T: it takes what was spooled", away("queue", vec![Why::Takes])),
        (
            "the spool is nearly full since T: 7 batches of results wait in the spool, 500 of 1024 KiB; what gateways say is refused once it is full",
            away("spool", vec![waits, Why::RefusesOnceFull]),
        ),
        (
            "the spool is nearly full since T: its disk takes no more, and what gateways say is refused",
            away("spool", vec![Why::Refuses]),
        ),
        (
            "the spool is nearly full since T: its disk takes no more (full, or read-only), and what gateways say is refused when the queue is away",
            away("spool", vec![Why::RefusesWithoutQueue]),
        ),
        (
            "the queue may lose what it is given since T: this redis may lose jobs since its settings changed: appendonly is off",
            away("durability", vec![Why::Forgets { said: "appendonly is off".into() }]),
        ),
    ] {
        assert_eq!(read(text), Some(sight), "{text}");
    }
}

#[test]
fn a_clock_is_ahead_or_behind() {
    for (way, ahead) in [("ahead of", true), ("behind", false)] {
        let text = format!(
            "the clock is wrong since T: the clock here is 6.2 s {way} that of redis: see which of both is wrong, and set it (NTP)"
        );
        let why = Why::ClockApart { seconds: "6.2".into(), ahead };
        assert_eq!(read(&text), Some(away("clock", vec![why])));
    }
    let words = "the clock here is 6.2 s beside that of redis: see which of both is wrong, and set it (NTP)";
    assert_eq!(why(words), Why::Said { words: words.to_owned() });
}

#[test]
fn what_is_back_is_read_with_after_how_long() {
    for (text, sight) in [
        ("the store is back after 2 min 5 s", back("store", false, 125_000)),
        ("the queue is back, and nothing waits for it any more, after 7 s", back("queue", false, 7_000)),
        ("the spool has room again after 3 h", back("spool", false, 10_800_000)),
        ("the durability of the queue is given again after 11 s", back("durability", false, 11_000)),
        ("the clock is right again after 1 min", back("clock", false, 60_000)),
        ("smtp takes letters again after 4 min", back("smtp", true, 240_000)),
    ] {
        assert_eq!(read(text), Some(sight), "{text}");
    }
}

#[test]
fn a_broker_that_is_no_more_and_a_channel_that_takes_nothing_are_read() {
    assert_eq!(read("the broker is no more"), Some(Sight::Gone { reaches: None }));
    let reaches = "the broker is no more; another one reaches the store";
    assert_eq!(read(reaches), Some(Sight::Gone { reaches: Some("store".into()) }));
    let why = vec![Why::Said { words: "refused: 550".into() }];
    let sight = Sight::Away { needs: "smtp".into(), channel: true, since: "T".into(), why };
    assert_eq!(read("smtp takes no letters since T: refused: 550"), Some(sight));
}

#[test]
fn what_only_looks_like_a_sentence_of_the_platforms_is_none() {
    for text in [
        "",
        "the broker is no more or less",
        "the old queue is away since T: no route",
        "the store is away",
        "the store is gone since T: no route",
        "the store is back after a while",
        "the store came back after 5 s",
        "my mail server takes no letters since T: refused",
        " takes letters again after 4 min",
        "a,b takes letters again after 4 min",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
    for words in [
        "many batches of results wait in the spool, 1 of 2 KiB",
        "1 batches of results wait in the spool, x of 2 KiB",
        "1 batches of results wait in the spool, 1 of y KiB",
        "1 batches of results wait in the spool, 1 of 2 MiB",
    ] {
        assert_eq!(why(words), Why::Said { words: words.to_owned() });
    }
}
