//! What the record would know of a stream, whatever became of its bytes.

use std::sync::Arc;

use serde_json::json;

use super::world::{
    CARD, DIALECTS, Dialect, KEY, Panics, Troubled, chunk, detecting, failed, request, rules, run_whole, tools,
};
use crate::detect::{Detector, PaymentCard, Trouble};
use crate::inspect::Ending;
use crate::verdict::Verdict;

#[test]
fn observing_passes_every_text_and_knows_what_would_have_been() {
    for dialect in DIALECTS {
        for (then, full) in [("redact", Verdict::Redact), ("block", Verdict::Block)] {
            let stream = dialect.stream(&["Card 4111 1111", " 1111 1111", " and ", KEY, "."]);
            let done = run_whole(&rules(then, "observe", "block"), dialect, &stream);
            assert_eq!(done.ending, Ending::Complete);
            assert_eq!(done.said(), format!("Card {CARD} and {KEY}."));
            assert_eq!(
                (done.judged.decision.verdict, done.judged.decision.full),
                (Verdict::Allow, full),
                "{then}"
            );
            let seen: Vec<&str> = done
                .judged
                .facts
                .content
                .entities
                .iter()
                .map(|seen| seen.entity.as_str())
                .collect();
            assert_eq!(seen, ["ai-provider-key", "payment-card"]);
            assert!(done.judged.masked.is_empty());
        }
    }
}

#[test]
fn a_harmless_stream_passes_byte_for_byte() {
    // Each piece ends with a space, so that nothing at its end could still grow into a match.
    for dialect in DIALECTS {
        let stream = dialect.stream(&["All is well. ", "Nothing to see, ", "é \u{1F600} "]);
        let done = run_whole(&rules("redact", "enforce", "block"), dialect, &stream);
        assert_eq!(done.text(), stream);
        assert_eq!(done.ending, Ending::Complete);
    }
}

#[test]
fn a_detector_that_panics_blocks_a_stream_unless_the_policy_says_otherwise() {
    let stream = Dialect::OpenAi.stream(&["Hello ", "there ", "you "]);
    for (unavailable, ending, verdict) in [
        ("block", Ending::Stopped, Verdict::Block),
        ("coach", Ending::Complete, Verdict::Coach),
    ] {
        let rules = detecting(
            &rules("redact", "enforce", unavailable),
            vec![Arc::new(Panics), Arc::new(PaymentCard)],
        );
        let done = run_whole(&rules, Dialect::OpenAi, &stream);
        assert_eq!((done.ending, done.judged.decision.verdict), (ending, verdict));
        assert!(done.judged.facts.content.failed);
        assert_eq!(
            failed(&done.judged),
            [("panics", Trouble::Panicked)],
            "however often it failed, it is one fact"
        );
        assert_eq!(done.text().contains("Hello"), ending == Ending::Complete);
    }
}

/// However a detector came not to look, it did not run, and that is not "found nothing".
#[test]
fn whatever_keeps_a_detector_from_its_work_is_a_fact_of_its_own() {
    let stream = Dialect::OpenAi.stream(&["Hello ", "there ", "you "]);
    for trouble in [Trouble::Failed, Trouble::OutOfTime, Trouble::Skipped] {
        for (unavailable, verdict) in [("block", Verdict::Block), ("coach", Verdict::Coach)] {
            let troubled = vec![Arc::new(Troubled(trouble)) as Arc<dyn Detector>];
            let rules = detecting(&rules("redact", "enforce", unavailable), troubled);
            let done = run_whole(&rules, Dialect::OpenAi, &stream);
            assert_eq!(failed(&done.judged), [("troubled", trouble)]);
            assert_eq!(done.judged.decision.verdict, verdict, "{trouble}, streamed");
            let body = r#"{"model":"m","messages":[{"role":"user","content":"Hello"}]}"#;
            let asked = request(&rules, Dialect::OpenAi.wire(), body);
            assert_eq!(failed(&asked.judged), [("troubled", trouble)]);
            assert_eq!(asked.judged.decision.verdict, verdict, "{trouble}, whole");
        }
    }
}

/// A failure there once said only that something had failed, not what.
#[test]
fn a_failure_in_arguments_names_its_detector() {
    let rules = detecting(&rules("redact", "enforce", "coach"), vec![Arc::new(Panics)]);
    let call = json!({"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}}]});
    let stream = chunk(0, &call, None) + &chunk(0, &json!({}), Some("tool_calls")) + "data: [DONE]\n\n";
    let done = run_whole(&rules, Dialect::OpenAi, &stream);
    assert_eq!(failed(&done.judged), [("panics", Trouble::Panicked)]);
    assert_eq!(tools(&done.judged), ["f"]);
}

#[test]
fn what_was_masked_is_counted_by_entity() {
    let stream = Dialect::Anthropic.stream(&[CARD, ", ", CARD, "; ", KEY, " "]);
    let done = run_whole(&rules("redact", "enforce", "block"), Dialect::Anthropic, &stream);
    let masked: Vec<(&str, u32)> = done
        .judged
        .masked
        .iter()
        .map(|(entity, count)| (entity.as_str(), *count))
        .collect();
    assert_eq!(masked, [("ai-provider-key", 1), ("payment-card", 2)]);
    let distinct: Vec<u32> = done
        .judged
        .facts
        .content
        .entities
        .iter()
        .map(|seen| seen.distinct)
        .collect();
    assert_eq!(distinct, [1, 1]);
}
