//! The laws of all detectors: what is found and what is not, and that chunking changes nothing.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;

use super::*;

/// A detector with its examples.
struct Example {
    detector: Arc<dyn Detector>,
    hits: &'static [&'static str],
    misses: &'static [&'static str],
}

static EXAMPLES: LazyLock<Vec<Example>> = LazyLock::new(|| {
    let example = |detector: Arc<dyn Detector>, hits, misses| Example { detector, hits, misses };
    let mut examples = vec![
        example(Arc::new(AiProviderKey), ai_provider_key::HITS, ai_provider_key::MISSES),
        example(Arc::new(AssignedSecret), assigned_secret::HITS, assigned_secret::MISSES),
        example(Arc::new(AwsKey), aws_key::HITS, aws_key::MISSES),
        example(Arc::new(CryptoWallet), crypto_wallet::HITS, crypto_wallet::MISSES),
        example(Arc::new(DateOfBirth), date_of_birth::HITS, date_of_birth::MISSES),
        example(Arc::new(EmailAddress), email_address::HITS, email_address::MISSES),
        example(Arc::new(Iban), iban::HITS, iban::MISSES),
        example(Arc::new(Imei), imei::HITS, imei::MISSES),
        example(Arc::new(IpAddress), ip_address::HITS, ip_address::MISSES),
        example(Arc::new(MacAddress), mac_address::HITS, mac_address::MISSES),
        example(Arc::new(NationalId), national_id::HITS, national_id::MISSES),
        example(Arc::new(PassportNumber), passport_number::HITS, passport_number::MISSES),
        example(Arc::new(PaymentCard), payment_card::HITS, payment_card::MISSES),
        example(Arc::new(PhoneNumber), phone_number::HITS, phone_number::MISSES),
        example(Arc::new(PrivateKey), private_key::HITS, private_key::MISSES),
        example(Arc::new(Secrets), secrets::HITS, secrets::MISSES),
        example(Arc::new(UrlCredentials), url_credentials::HITS, url_credentials::MISSES),
        example(Arc::new(UsSsn), us_ssn::HITS, us_ssn::MISSES),
        example(Arc::new(Vin), vin::HITS, vin::MISSES),
    ];
    let registered: Vec<String> = all().iter().map(|detector| detector.id().to_owned()).collect();
    let tested: Vec<String> = examples
        .iter()
        .map(|example| example.detector.id().to_owned())
        .collect();
    assert_eq!(registered, tested);
    examples.push(example(Arc::new(keywords(WORDS)), WORD_HITS, WORD_MISSES));
    examples.push(example(
        Arc::new(pattern(r"\bEMP-[0-9]{6}\b")),
        &["«EMP-123456»", "(«EMP-000001»)"],
        &["EMP-1234567"],
    ));
    examples.push(example(
        Arc::new(pattern(r"^start|end$")),
        &["«start» start «end»"],
        &["restart ends"],
    ));
    examples.push(example(
        Arc::new(pattern(r"(?m)^-{1,3}|a(?:bc){0,3}?d|ab")),
        &["«---»\n«-»\n«abcd» «ab»b"],
        &["c -- d"],
    ));
    examples.push(example(
        Arc::new(pattern(r"(?i)\b\w{2,5}é{0,2}\b[ -]x?")),
        &["«été »", "«ab-»«cde x»"],
        &["a b"],
    ));
    examples.push(example(
        Arc::new(pattern(r"\B.{2}[^a]{1,3}|4{3}")),
        &["a«4441»", "«444»"],
        &["@@"],
    ));
    examples
});

const WORDS: &[&str] = &[
    "new",
    "New York",
    "new york city",
    "Falcon",
    "Straße",
    "机密",
    "机密文件",
    "x-1",
    "-y-",
    "a a",
    "a a a",
    "été",
    "York City x",
];
const WORD_HITS: &[&str] = &[
    "«new»",
    "«NEW» yorker",
    "«New York» cit",
    "a «new york city».",
    "«new» «falcon»-like «FALCON»",
    "die «STRASSE» und «straße»",
    "这是«机密文件»和«机密»信息",
    "(«x-1»)z«-Y-»z",
    "«a a a» «a a»",
    "L'«Été» «ÉTÉ»",
    "«new york city» x",
];
const WORD_MISSES: &[&str] = &["renew", "newer", "falcons", "x-12", "newyork", "étés", "1a a1"];

fn keywords(words: &[&str]) -> Keywords {
    let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
    Keywords::new(EntityId::from("own-words"), &words).expect("the words of the test are well-formed")
}

fn pattern(pattern: &str) -> Pattern {
    Pattern::new(EntityId::from("own-pattern"), pattern).expect("the pattern of the test is well-formed")
}

/// Takes the marks out of an example.
fn unmark(marked: &str) -> (String, Vec<Range<usize>>) {
    let mut text = String::new();
    let mut spans = Vec::new();
    let mut open = 0;
    for letter in marked.chars() {
        match letter {
            '«' => open = text.len(),
            '»' => spans.push(open..text.len()),
            _ => text.push(letter),
        }
    }
    (text, spans)
}

fn whole(detector: &dyn Detector, text: &str) -> Vec<Range<usize>> {
    let mut matches = Vec::new();
    let window = Window {
        text,
        from: 0,
        complete: true,
    };
    let settled = detector
        .detect(window, &mut matches)
        .expect("detectors look at any text");
    assert_eq!(settled, text.len());
    matches.into_iter().map(|found| found.span).collect()
}

/// Detects as a stream does: the text arrives in pieces, and what lies further back than the context is dropped.
fn in_pieces(detector: &dyn Detector, text: &str, cuts: impl Iterator<Item = usize>) -> Vec<Range<usize>> {
    let Horizon::Bounded(horizon) = detector.horizon() else {
        panic!("`{}` cannot run on a stream", detector.id());
    };
    let mut spans = Vec::new();
    let mut settled = 0_usize;
    let mut step = |until: usize, complete: bool| {
        let kept = text.floor_char_boundary(settled.saturating_sub(CONTEXT));
        let window = Window {
            text: text.get(kept..until).expect("cut between characters"),
            from: settled - kept,
            complete,
        };
        let mut matches = Vec::new();
        let answer = kept
            + detector
                .detect(window, &mut matches)
                .expect("detectors look at any text");
        assert!(answer >= settled && answer <= until && text.is_char_boundary(answer));
        for found in matches {
            let span = found.span.start + kept..found.span.end + kept;
            assert!(span.start >= settled && span.end <= answer);
            spans.push(span);
        }
        let lag = until - answer;
        assert!(
            lag <= horizon + 4,
            "`{}` holds back {lag} bytes, its horizon is {horizon}",
            detector.id()
        );
        settled = answer;
    };
    for cut in cuts {
        step(cut, false);
    }
    step(text.len(), true);
    assert_eq!(settled, text.len());
    spans
}

fn every_cut(text: &str) -> impl Iterator<Item = usize> {
    (0..=text.len()).filter(|&offset| text.is_char_boundary(offset))
}

#[test]
fn hits_are_found_where_they_are_marked() {
    for Example { detector, hits, .. } in EXAMPLES.iter() {
        for hit in *hits {
            let (text, spans) = unmark(hit);
            assert!(!spans.is_empty(), "{hit}");
            assert_eq!(whole(detector.as_ref(), &text), spans, "`{}` in {hit}", detector.id());
        }
    }
}

#[test]
fn misses_are_not_found() {
    for Example { detector, misses, .. } in EXAMPLES.iter() {
        for miss in *misses {
            let spans = whole(detector.as_ref(), miss);
            assert!(spans.is_empty(), "`{}` in {miss}: {spans:?}", detector.id());
        }
    }
}

#[test]
fn every_example_is_safe_for_every_detector_one_character_at_a_time() {
    let texts: Vec<String> = EXAMPLES
        .iter()
        .flat_map(|example| example.hits.iter().chain(example.misses))
        .map(|text| unmark(text).0)
        .collect();
    for Example { detector, .. } in EXAMPLES.iter() {
        for text in &texts {
            assert_eq!(
                in_pieces(detector.as_ref(), text, every_cut(text)),
                whole(detector.as_ref(), text),
                "{text}"
            );
        }
    }
}

#[test]
fn a_key_longer_than_its_horizon_is_cut_between_characters() {
    let text = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n{}",
        "MIIE".repeat(10),
        "é".repeat(20_000)
    );
    let spans = whole(&PrivateKey, &text);
    assert_eq!(spans.len(), 1);
    let cuts = (0..text.len())
        .step_by(1000)
        .map(|offset| text.floor_char_boundary(offset));
    assert_eq!(in_pieces(&PrivateKey, &text, cuts), spans);
}

#[test]
fn pattern_errors_say_what_to_write_instead() {
    let refuse = |source: &str| {
        Pattern::new(EntityId::from("own"), source)
            .expect_err(source)
            .to_string()
    };
    assert_eq!(
        refuse("a.*"),
        "a match could have any length: write `{0,64}` instead of `*`, and `{1,64}` instead of `+`"
    );
    assert_eq!(
        refuse("a.{0,400}"),
        "a match could have 1601 bytes, at most 1024 are allowed: write `{0,64}` instead of `*`"
    );
    assert_eq!(refuse(r"\b|a"), "it matches the empty text, and so everywhere");
    assert_eq!(refuse("[a&&b]"), "it can never match");
    assert_eq!(
        refuse(r"(a)\1"),
        "backreferences are not supported (at byte 3 of the pattern)"
    );
    assert_eq!(
        refuse("a(?=b)"),
        "look-around, including look-ahead and look-behind, is not supported (at byte 1 of the pattern)"
    );
    assert_eq!(refuse("(a"), "unclosed group (at byte 0 of the pattern)");
}

#[test]
fn keyword_lists_are_bounded() {
    let refuse = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        Keywords::new(EntityId::from("own"), &words).expect_err("refused")
    };
    assert_eq!(refuse(&[]), "the list of keywords is empty");
    assert_eq!(refuse(&["x"]), "keyword `x` has 1 bytes, between 2 and 200 are allowed");
    assert_eq!(refuse(&["ab "]), "keyword `ab ` begins or ends with a space");
    assert_eq!(
        refuse(&["ab"; 10_001]),
        "10001 keywords are too many, at most 10000 are allowed"
    );
}

/// A text glued together from examples, pieces of them, what separates them, and noise.
fn glued() -> impl Strategy<Value = String> {
    let texts: Vec<String> = EXAMPLES
        .iter()
        .flat_map(|example| example.hits.iter().chain(example.misses))
        .chain(&[
            "ssn ",
            "secret access key ",
            "git@",
            "a@b.",
            "-----BEGIN ",
            "new york",
            "a a a a",
            "444",
            "été",
        ])
        .map(|text| unmark(text).0)
        .collect();
    let example = prop::sample::select(texts);
    let part = (
        example.clone(),
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
    )
        .prop_map(|(text, one, two)| {
            let cut = |index: &prop::sample::Index| text.floor_char_boundary(index.index(text.len() + 1));
            let (one, two) = (cut(&one), cut(&two));
            text.get(one.min(two)..one.max(two)).unwrap_or_default().to_owned()
        });
    let separator = prop::sample::select(vec![
        "", " ", "-", ".", "\n", "\\n", "@", "_", "\u{a0}", "é", "是", "=", "--", "/",
    ]);
    let run = ("[0-9aAx.@ -]", 1..90_usize).prop_map(|(letter, count)| letter.repeat(count));
    let piece = prop_oneof![
        4 => example,
        4 => part,
        6 => separator.prop_map(str::to_owned),
        1 => run,
        1 => "[ -~]{0,8}",
        1 => "[0-9 .-]{0,30}",
        1 => "\\PC{0,4}",
    ];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn chunking_never_changes_the_result(text in glued(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12)) {
        let mut cuts: Vec<usize> =
            cuts.iter().map(|cut| text.floor_char_boundary(cut.index(text.len() + 1))).collect();
        cuts.sort_unstable();
        for Example { detector, .. } in EXAMPLES.iter() {
            let detector = detector.as_ref();
            let spans = whole(detector, &text);
            prop_assert!(spans.iter().all(|span| span.len() >= detector.shortest()), "{} {spans:?}", detector.id());
            let digits = |span: &Range<usize>| text.get(span.clone()).map(|text| text.bytes().filter(u8::is_ascii_digit).count());
            prop_assert!(
                spans.iter().all(|span| digits(span) >= Some(detector.fewest_digits())),
                "{} {spans:?}",
                detector.id()
            );
            let starts = |span: &Range<usize>| text.as_bytes().get(span.start).is_some_and(|byte| detector.starts().meets(&ByteSet::of(&[*byte])));
            prop_assert!(spans.iter().all(starts), "{} {spans:?}", detector.id());
            prop_assert!(spans.is_sorted_by(|one, two| one.end <= two.start), "{} {spans:?}", detector.id());
            prop_assert_eq!(&in_pieces(detector, &text, cuts.iter().copied()), &spans, "{}", detector.id());
            prop_assert_eq!(&in_pieces(detector, &text, every_cut(&text)), &spans, "{}", detector.id());
        }
    }
}
