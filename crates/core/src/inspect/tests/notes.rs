//! Labels of answers, and notes behind their texts.

use std::sync::Arc;

use serde_json::{Value, json};

use super::world::{
    CARD, DIALECTS, Dialect, Dice, MAIL, Outcome, POLICY, candidate, chunk, line, named, named_request, of_text,
    output_text, response, run,
};
use crate::inspect::{Ending, Fate, Inspection, Rules};
use crate::record;

/// Coaches on addresses and masks cards; answers have labels.
fn coaching() -> Arc<Rules> {
    let text = POLICY
        .replace("THEN", "redact")
        .replace("MODE", "enforce")
        .replace("UNAVAILABLE", "block")
        .replace("email-address: restricted}", "email-address: guarded}")
        .replace("classes: [internal, restricted]", "classes: [internal, guarded, restricted]")
        .replace("    restricted: {sanctioned", "    guarded: {sanctioned: coach, tolerated: block, unknown: block, unsanctioned: block}\n    restricted: {sanctioned")
        .replace("answers: {restricted: redact}", "answers: {restricted: redact, guarded: coach}")
        .replace("statement: What.", "statement: 'Leave \"people\" out.'")
        .replace("statement: Back.", "statement: 'Leave \"people\" out.'")
        .replace(
            "acceptable_use: {statement: How.}",
            "acceptable_use:\n  outputs: {inherit: highest-input}\n  clauses: [{id: AU-0, statement: Labels., enforced_by: acceptable_use.outputs}]",
        );
    of_text(&text)
}

const NOTE: &str = "\n\nLeave \"people\" out.";

/// The inspection after a request with this text, with a note if there is something to note.
fn after(rules: &Arc<Rules>, dialect: Dialect, text: &str, more: &Value) -> Inspection {
    let mut body = match dialect {
        Dialect::Gemini => json!({"contents": [{"parts": [{"text": text}]}]}),
        Dialect::Completions => json!({"model": "m", "prompt": text}),
        Dialect::Responses => json!({"model": "m", "input": text}),
        _ => json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": text}]}),
    };
    let members = body.as_object_mut().expect("an object");
    members.extend(more.as_object().cloned().unwrap_or_default());
    let asked = named_request(rules, dialect.wire(), &body.to_string(), dialect.named());
    let mut inspection = asked.inspection;
    inspection.add_note(&asked.judged.decision);
    inspection
}

/// An answer in one piece that says this.
fn whole(dialect: Dialect, text: &str) -> Value {
    match dialect {
        Dialect::OpenAi => {
            json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "logprobs": null, "finish_reason": "stop"}, {"index": 1, "message": {"content": text}}]})
        }
        Dialect::Completions => json!({"choices": [{"index": 0, "text": text, "logprobs": null}]}),
        Dialect::Anthropic => {
            json!({"type": "message", "content": [{"type": "thinking", "thinking": "Hm.", "signature": "s"}, {"type": "text", "text": text}], "stop_reason": "end_turn"})
        }
        Dialect::Gemini => {
            json!({"candidates": [{"index": 0, "content": {"parts": [{"text": "Hm.", "thought": true}, {"text": text}]}, "finishReason": "STOP"}]})
        }
        Dialect::Ollama => json!({"message": {"role": "assistant", "content": text}, "done": true}),
        Dialect::Responses => response(
            &json!([{"type": "reasoning", "summary": [], "content": []}, {"type": "message", "role": "assistant", "content": [output_text(text)]}]),
        ),
    }
}

/// The text of it.
fn said(dialect: Dialect, answer: &Value) -> &Value {
    let at = match dialect {
        Dialect::OpenAi => "/choices/0/message/content",
        Dialect::Completions => "/choices/0/text",
        Dialect::Anthropic => "/content/1/text",
        Dialect::Gemini => "/candidates/0/content/parts/1/text",
        Dialect::Ollama => "/message/content",
        Dialect::Responses => "/output/1/content/0/text",
    };
    answer.pointer(at).expect("a text")
}

fn answered(inspection: &Inspection, answer: &Value) -> Value {
    match inspection.answer(answer.to_string().as_bytes()).1 {
        Fate::Forward(Some(bytes)) => serde_json::from_slice(&bytes).expect("is JSON"),
        Fate::Forward(None) => answer.clone(),
        Fate::Wait(..) | Fate::Stop => panic!("it was stopped"),
    }
}

/// All that a client is told in its channels, in the order of their names.
fn told(done: &Outcome) -> String {
    done.channels().into_values().collect()
}

#[test]
fn an_answer_carries_the_highest_class_of_its_input_and_of_itself() {
    let rules = coaching();
    for dialect in DIALECTS {
        for (asks, says, whole_label, stream_label) in [
            ("Hi.", "Hi.", "internal", "internal"),
            (MAIL, "Hi.", "guarded", "guarded"),
            (MAIL, CARD, "restricted", "guarded"),
            (CARD, MAIL, "restricted", "restricted"),
        ] {
            let inspection = after(&rules, dialect, asks, &json!({}));
            let (judged, _) = inspection.answer(whole(dialect, says).to_string().as_bytes());
            assert_eq!(judged.label.as_deref(), Some(whole_label), "{dialect:?} {asks} {says}");
            let done = run(inspection, [dialect.stream(&[says]).as_bytes()]);
            assert_eq!(
                done.judged.label.as_deref(),
                Some(stream_label),
                "{dialect:?} {asks} {says}"
            );
            let header = record::Header {
                id: "2",
                at_ms: 0,
                subject: "s",
                on_behalf_of: None,
            };
            let outcome = record::outcome(&header, "1", record::Result::Completed, 200, 9, &rules, Some(&judged));
            let outcome = serde_json::to_value(outcome).expect("JSON");
            assert_eq!(outcome["label"], whole_label);
        }
    }
    let silent = super::world::masking();
    let (judged, _) =
        after(&silent, Dialect::OpenAi, MAIL, &json!({})).answer(whole(Dialect::OpenAi, "Hi.").to_string().as_bytes());
    assert_eq!(judged.label, None);
}

#[test]
fn a_note_stands_at_the_end_of_the_first_text_and_is_nobody_elses() {
    let rules = coaching();
    for dialect in DIALECTS {
        let inspection = after(&rules, dialect, MAIL, &json!({}));
        let plain = whole(dialect, "Done \u{e9}.");
        let noted = answered(&inspection, &plain);
        assert_eq!(*said(dialect, &noted), format!("Done \u{e9}.{NOTE}"), "{dialect:?}");
        let (judged, _) = inspection.answer(plain.to_string().as_bytes());
        let (bare, _) = after(&rules, dialect, "Hi.", &json!({})).answer(plain.to_string().as_bytes());
        assert_eq!(judged.facts.content, bare.facts.content, "it is not the model's text");
        if dialect == Dialect::OpenAi {
            assert_eq!(noted["choices"][1], plain["choices"][1]);
        }
        // Without coaching there is nothing to say.
        assert_eq!(answered(&after(&rules, dialect, "Hi.", &json!({})), &plain), plain);
        // Of a whole answer, what is told about itself counts too.
        let of_itself = answered(&after(&rules, dialect, "Hi.", &json!({})), &whole(dialect, MAIL));
        assert_eq!(*said(dialect, &of_itself), format!("{MAIL}{NOTE}"));
        // And nothing is said twice.
        let both = answered(&inspection, &whole(dialect, MAIL));
        assert_eq!(*said(dialect, &both), format!("{MAIL}{NOTE}"));
    }
}

#[test]
fn a_note_streams_as_the_last_piece_however_the_bytes_are_cut() {
    let rules = coaching();
    let mut dice = Dice(11);
    for dialect in DIALECTS {
        for pieces in [
            &["Done."][..],
            &["Pay ", "4111 1111", " 1111 1111", " now"],
            &["held 4111 1111"],
        ] {
            let stream = dialect.stream(pieces);
            let whole_text = pieces.concat().replace(CARD, "[payment-card]");
            let first = run(after(&rules, dialect, MAIL, &json!({})), [stream.as_bytes()]);
            assert_eq!(first.ending, Ending::Complete);
            assert_eq!(told(&first), format!("{whole_text}{NOTE}"), "{dialect:?}");
            for most in [1, 5, 80] {
                let cut = dice.cut_bytes(stream.as_bytes(), most);
                let done = run(after(&rules, dialect, MAIL, &json!({})), cut);
                assert_eq!(done.bytes, first.bytes, "{dialect:?} {most}");
            }
            let bare = run(after(&rules, dialect, "Hi.", &json!({})), [stream.as_bytes()]);
            assert_eq!(told(&bare), whole_text, "{dialect:?}");
            assert_eq!(first.judged.facts.content, bare.judged.facts.content);
        }
    }
}

/// Who goes by the places where the text is told again reads the same.
#[test]
fn responses_tell_the_note_wherever_the_text_is_told() {
    let stream = Dialect::Responses.stream(&["Do", "ne."]);
    let done = run(
        after(&coaching(), Dialect::Responses, MAIL, &json!({})),
        [stream.as_bytes()],
    );
    let events = done.events();
    let noted = format!("Done.{NOTE}");
    let of = |kind: &str| events.iter().find(|event| event["type"] == kind).expect("is there");
    assert_eq!(of("response.output_text.done")["text"], noted);
    assert_eq!(of("response.content_part.done")["part"]["text"], noted);
    assert_eq!(of("response.output_item.done")["item"]["content"][0]["text"], noted);
    assert_eq!(
        of("response.completed")["response"]["output"][0]["content"][0]["text"],
        noted
    );
}

/// A last event with text in it, and an end.
#[test]
fn a_last_piece_that_comes_with_the_end_has_the_note_behind_it() {
    for (dialect, stream) in [
        (
            Dialect::OpenAi,
            chunk(0, &json!({"content": "Done."}), Some("stop")) + "data: [DONE]\n\n",
        ),
        (Dialect::Gemini, candidate(0, &json!([{"text": "Done."}]), Some("STOP"))),
    ] {
        let done = run(after(&coaching(), dialect, MAIL, &json!({})), [stream.as_bytes()]);
        assert_eq!(done.said(), format!("Done.{NOTE}"), "{dialect:?}");
    }
}

#[test]
fn nothing_is_added_to_what_has_a_form_or_calls_tools_or_breaks_off() {
    let rules = coaching();
    let schema = json!({"type": "object"});
    for (dialect, more) in [
        (Dialect::OpenAi, json!({"response_format": {"type": "json_object"}})),
        (Dialect::OpenAi, json!({"logprobs": true})),
        (Dialect::Completions, json!({"logprobs": 0})),
        (Dialect::Completions, json!({"suffix": "}"})),
        (
            Dialect::Anthropic,
            json!({"output_config": {"format": {"type": "json_schema", "schema": schema}}}),
        ),
        (
            Dialect::Anthropic,
            json!({"output_format": {"type": "json_schema", "schema": schema}}),
        ),
        (
            Dialect::Gemini,
            json!({"generationConfig": {"responseMimeType": "application/json"}}),
        ),
        (
            Dialect::Gemini,
            json!({"generation_config": {"response_schema": schema}}),
        ),
        (Dialect::Gemini, json!({"generationConfig": {"responseLogprobs": true}})),
        (Dialect::Ollama, json!({"format": "json"})),
        (Dialect::Ollama, json!({"format": schema})),
        (
            Dialect::Responses,
            json!({"text": {"format": {"type": "json_schema", "name": "n", "schema": schema}}}),
        ),
        (Dialect::Responses, json!({"include": ["message.output_text.logprobs"]})),
    ] {
        let plain = whole(dialect, "{}");
        assert_eq!(
            answered(&after(&rules, dialect, MAIL, &more), &plain),
            plain,
            "{dialect:?} {more}"
        );
        let stream = dialect.stream(&["{", "}"]);
        let done = run(after(&rules, dialect, MAIL, &more), [stream.as_bytes()]);
        assert_eq!(told(&done), "{}", "{dialect:?} {more}");
    }
    // Unless it asks for plain text.
    let text = json!({"response_format": {"type": "text"}, "logprobs": false});
    let noted = answered(
        &after(&rules, Dialect::OpenAi, MAIL, &text),
        &whole(Dialect::OpenAi, "x"),
    );
    assert_eq!(*said(Dialect::OpenAi, &noted), format!("x{NOTE}"));

    let call = json!({"function": {"name": "clock", "arguments": {}}});
    let calls = [
        (
            Dialect::OpenAi,
            chunk(
                0,
                &json!({"tool_calls": [{"index": 0, "id": "c", "function": {"name": "clock", "arguments": "{}"}}]}),
                None,
            ),
        ),
        (
            Dialect::Anthropic,
            named(
                &json!({"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "t", "name": "clock", "input": {}}}),
            ),
        ),
        (
            Dialect::Gemini,
            candidate(0, &json!([{"functionCall": {"name": "clock", "args": {}}}]), None),
        ),
        (Dialect::Ollama, line(&json!({"content": "", "tool_calls": [call]}))),
    ];
    for (dialect, call) in calls {
        let stream = dialect.start() + &dialect.piece("Hm.") + &call + &dialect.end("Hm.");
        let done = run(after(&rules, dialect, MAIL, &json!({})), [stream.as_bytes()]);
        assert!(!done.text().contains("people"), "{dialect:?}");
    }
    for dialect in DIALECTS {
        let broken = dialect.start() + &dialect.piece("Hm.");
        let done = run(after(&rules, dialect, MAIL, &json!({})), [broken.as_bytes()]);
        assert_eq!(done.ending, Ending::Broken);
        assert!(!done.text().contains("people"), "{dialect:?}");
    }
}
