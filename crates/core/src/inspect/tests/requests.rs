//! Requests and whole answers: a planted card in every place, and what becomes of the bytes.

use super::world::{
    Dialect, KEY, MAIL, POLICY, Panics, admitted, blocking, detecting, failed, masking, named_request, of_text,
    request, rules,
};
use crate::detect::{PaymentCard, Trouble};
use crate::inspect::Fate;
use crate::verdict::Verdict;
use crate::wire::anthropic_count_tokens::AnthropicCountTokens;
use crate::wire::anthropic_messages::AnthropicMessages;
use crate::wire::gemini::{GeminiCount, GeminiEmbed, GeminiGenerate, GeminiStream};
use crate::wire::json::{Limits, parse};
use crate::wire::ollama::{Ollama, OllamaEmbed};
use crate::wire::openai_chat::OpenaiChat;
use crate::wire::openai_completions::OpenaiCompletions;
use crate::wire::openai_embeddings::OpenaiEmbeddings;
use crate::wire::openai_images::OpenaiImages;
use crate::wire::openai_moderations::OpenaiModerations;
use crate::wire::openai_responses::{OpenaiResponses, OpenaiResponsesTokens};
use crate::wire::openai_speech::OpenaiSpeech;
use crate::wire::{Wire, all};

use std::sync::Arc;

/// Every place of a body in guillemets; `!` marks those that cannot be edited.
const OPENAI: &str = r#"{ "model":"«!gpt-»", "messages" : [
  {"role":"system","content":"«be kind »"},
  {"role":"developer","content":[{"type":"text","text":"«caf\u00e9 \ud83d\ude00 »"}]},
  {"role":"user","name":"«!ana-»","content":"«pay \"with\"\n »"},
  {"role":"assistant","content":null,"tool_calls":[{"id":"«!call-»","type":"function",
     "function":{"name":"«!pay-»","arguments":"{ \"note\\u0021\":\"«to \\\"Bo\\\" »\", \"deep\":[{\"x\":\"«y »\"}]}"}}]},
  {"role":"tool","tool_call_id":"«!c-»","content":"«result: »"},
  {"role":"assistant","content":"«said »","x_vendor":{"y":["«z »"]}}],
  "tools":[{"type":"function","function":{"name":"«!t-»","description":"«what »",
    "parameters":{"type":"object","properties":{"a":{"type":"string","description":"«how »","enum":["«!e-»"],"default":"«d »"}}}}}],
  "metadata":{"id":"«free »"}, "temperature":0.5,"x_new":"«vendor »", "user":"«user »","stop":["«stop »"],"seed":12345,"\u0061b":1e2 }
"#;

const ANTHROPIC: &str = r#"{"model":"«!claude-»","max_tokens":100,"system":[{"type":"text","text":"«be »","cache_control":{"type":"ephemeral"}}],
 "messages":[{"role":"user","content":"«hello »"},
  {"role":"assistant","content":[{"type":"text","text":"«well »"},{"type":"tool_use","id":"«!toolu-»","name":"«!mail-»","input":{"to":"«you »","n":[1,{"id":"«free »"}]}}]},
  {"role":"user","content":[{"type":"tool_result","tool_use_id":"«!toolu-»","content":[{"type":"text","text":"«done »"}]},
    {"type":"document","source":{"type":"text","media_type":"text/plain","data":"«page »"},"title":"«title »"}]}],
 "tools":[{"name":"«!mail-»","description":"«sends »","input_schema":{"type":"object","properties":{"to":{"type":"string","pattern":"«!p-»"}}}}],
 "metadata":{"user_id":"«user »"}, "x_beta":{"hint":"«hint »"}}"#;

const GEMINI_TEXTS: &str = r#"{"requests":[{"model":"models/m","content":{"parts":[{"text":"«one »"},{"text":"«two »"}]},"title":"«title »",
  "taskType":"«!RETRIEVAL-»","x_new":"«vendor »"}]}"#;

const OLLAMA: &str = r#"{"model":"«!llama3.2:»","messages":[{"role":"system","content":"«be »"},
  {"role":"user","content":"«hi\n »","x_new":{"y":["«z »"]}},
  {"role":"assistant","content":"","thinking":"«hm »","tool_calls":[{"id":"«!c-»","function":{"name":"«!pay-»","arguments":{"to":["«you »"],"id":"«free »"}}}]},
  {"role":"tool","tool_name":"«!pay-»","content":"«done »"}],
 "tools":[{"type":"function","function":{"name":"«!pay-»","description":"«pays »","parameters":{"type":"object","properties":{"to":{"type":"string","enum":["«!e-»"],"description":"«whom »"}}}}}],
 "format":{"type":"object","properties":{"a":{"title":"«title »","const":"«!c-»"}}},"options":{"seed":12345,"stop":["«stop »"],"grammar":"«root »"},
 "keep_alive":"«!5m-»","think":"«!low-»","x_vendor":"«vendor »"}"#;

const OLLAMA_PROMPT: &str = r#"{"model":"«!library/phi:»","prompt":"«why »","suffix":"«so »","system":"«be »","template":"«{{ .Prompt }} »",
 "format":"«!json-»","options":{"stop":"«stop »"},"context":[],"images":null,"raw":false,"stream":false,"x_vendor":["«vendor »"]}"#;

const OLLAMA_TEXTS: &str = r#"{"model":"«!all-minilm-»","input":["«one »","«two »"],"prompt":"«three »","truncate":true,"keep_alive":"«!5m-»"}"#;
const GEMINI: &str = r#"{"contents":[{"role":"user","parts":[{"text":"«pay »","part_metadata":{"id":"«free »"}}]},
  {"role":"model","parts":[{"text":"«hm »","thought":true,"thoughtSignature":"«!c2ln-»"},{"functionCall":{"name":"«!mail-»","args":{"to":["«you »",{"type":"«kind »"}]}}},
    {"executable_code":{"language":"PYTHON","code":"«print »"}},{"codeExecutionResult":{"outcome":"OUTCOME_OK","output":"«out »"}}]},
  {"parts":[{"functionResponse":{"name":"«!mail-»","response":{"model":"«done »"}}}]}],
 "system_instruction":{"parts":{"text":"«be \"kind\" »"}},
 "tools":[{"functionDeclarations":[{"name":"«!mail-»","description":"«sends »","parameters":{"properties":{"to":{"description":"«how »","enum":["«!e-»"]}}}}]}],
 "toolConfig":{"functionCallingConfig":{"allowedFunctionNames":["«!mail-»"]}},
 "generationConfig":{"stopSequences":["«stop »"],"responseMimeType":"«!text/-»","responseJsonSchema":{"title":"«title »"},"topP":0.5},
 "safetySettings":[{"category":"«!HARM-»"}],"labels":{"team":"«team »"},"x_new":"«vendor »"}"#;
const RESPONSES: &str = r#"{"model":"«!gpt-»","instructions":"«be »","input":[{"role":"user","content":[{"type":"input_text","text":"«pay »"}]},
  {"type":"function_call","call_id":"«!c-»","name":"«!pay-»","arguments":"{ \"to\\u0021\":\"«you »\"}"},{"type":"function_call_output","call_id":"«!c-»","output":"«done »"}],
 "tools":[{"type":"function","name":"«!t-»","description":"«what »","parameters":{"properties":{"a":{"description":"«how »","enum":["«!e-»"]}}}}],
 "metadata":{"id":"«free »"},"temperature":0.5,"x_new":"«vendor »"}"#;

const COMPLETIONS: &str = r#"{"model":"«!gpt-»","prompt":["«once »","«caf\u00e9 \ud83d\ude00 »"],"suffix":"«after »","stop":"«stop »","user":"«user »",
 "logit_bias":{"50256":-100},"stream_options":{"include_usage":true,"x":"«!y-»"},"x_new":{"deep":[["«vendor »"]]}}"#;

const EMBEDDINGS: &str = r#"{"model":"«!text-»","input":["«one »","«two »"],"encoding_format":"«!float-»","user":"«user »","x_new":"«vendor »"}"#;

const MODERATIONS: &str = r#"{"model":"«!omni-»","input":[{"type":"text","text":"«well »","x":{"y":"«z »"}},"«loose »"],"x_new":"«vendor »"}"#;

const IMAGES: &str =
    r#"{"model":"«!gpt-»","prompt":"«a cat with »","size":"«!1024-»","user":"«user »","x_new":["«vendor »"]}"#;

const SPEECH: &str =
    r#"{"model":"«!tts-»","input":"«say »","instructions":"«slowly »","voice":{"id":"«!v-»"},"x_new":"«vendor »"}"#;

const CARD: &str = "4111111111111111";

/// The template with `planted` at the place with this number, and nothing at the others. Also whether that place can be
/// edited.
fn planted(template: &str, place: usize, planted: &str) -> (String, bool) {
    let mut out = String::new();
    let mut editable = true;
    for (index, piece) in template.split('«').enumerate() {
        let Some((text, after)) = piece.split_once('»') else {
            out.push_str(piece);
            continue;
        };
        out.push_str(text.trim_start_matches('!'));
        if index == place + 1 {
            editable = !text.starts_with('!');
            out.push_str(planted);
        }
        out.push_str(after);
    }
    (out, editable)
}

fn places(template: &str) -> usize {
    template.matches('«').count()
}

/// `redact` is stricter than `justify`, and does not make up for it.
#[test]
fn what_is_to_be_masked_and_justified_does_not_pass_with_masks_alone() {
    let text = POLICY
        .replace("THEN", "redact")
        .replace("MODE", "enforce")
        .replace("UNAVAILABLE", "block");
    let gate = "courses: {c: {valid: 9 days}}, gates: [{id: ED-1, without: c, then: justify}], \
                clauses: [{id: ED-2, statement: Learn., owner: cto, enforced_by: education.gates}],";
    let justified = text.replace("education: {", &format!("education: {{{gate} "));
    assert_ne!(justified, text);
    let asked = request(
        &of_text(&justified),
        Dialect::OpenAi.wire(),
        &planted(OPENAI, 1, CARD).0,
    );
    assert_eq!(asked.judged.decision.verdict, Verdict::Redact);
    let Fate::Wait(what, Some(bytes)) = asked.fate else {
        panic!("it waits for a reason, masked: {:?}", asked.fate);
    };
    assert!(what.justify && !what.hold);
    assert!(!String::from_utf8_lossy(&bytes).contains(CARD));
}

#[test]
fn a_card_in_every_place_is_masked_there_or_blocks() {
    let rules = masking();
    let bodies: [(&'static dyn Wire, &str); 17] = [
        (&OpenaiChat, OPENAI),
        (&OpenaiResponses, RESPONSES),
        (&OpenaiResponsesTokens, RESPONSES),
        (&OpenaiCompletions, COMPLETIONS),
        (&OpenaiEmbeddings, EMBEDDINGS),
        (&OpenaiModerations, MODERATIONS),
        (&OpenaiImages, IMAGES),
        (&OpenaiSpeech, SPEECH),
        (&AnthropicMessages, ANTHROPIC),
        (&AnthropicCountTokens, ANTHROPIC),
        (&GeminiGenerate, GEMINI),
        (&GeminiStream, GEMINI),
        (&GeminiCount, GEMINI),
        (&GeminiEmbed, GEMINI_TEXTS),
        (&Ollama::Chat, OLLAMA),
        (&Ollama::Generate, OLLAMA_PROMPT),
        (&OllamaEmbed, OLLAMA_TEXTS),
    ];
    let tried = bodies.map(|(wire, _)| wire.id());
    assert_eq!(tried, all().map(Wire::id), "every wire has one");
    for (wire, template) in bodies {
        let named = wire.id().starts_with("gemini").then_some("m");
        let request = |body: &str| named_request(&rules, wire, body, named);
        let (harmless, _) = planted(template, usize::MAX - 1, "");
        let plain = request(&harmless);
        assert_eq!(
            (plain.judged.decision.verdict, plain.fate),
            (Verdict::Allow, Fate::Forward(None))
        );
        for place in 0..places(template) {
            let (body, editable) = planted(template, place, CARD);
            let asked = request(&body);
            if !editable {
                assert_eq!(
                    (asked.judged.decision.verdict, asked.fate),
                    (Verdict::Block, Fate::Stop),
                    "{body}"
                );
                continue;
            }
            // Everything but the card is the same, byte for byte.
            let (expected, _) = planted(template, place, "[payment-card]");
            let Fate::Forward(Some(bytes)) = asked.fate else {
                panic!("place {place} is masked: {body}")
            };
            assert_eq!(String::from_utf8_lossy(&bytes), expected, "place {place}");
            assert!(parse(&bytes, &Limits::default()).is_ok());
            assert_eq!(asked.judged.decision.verdict, Verdict::Redact);
            assert_eq!(asked.judged.masked.values().copied().collect::<Vec<_>>(), [1]);
        }
    }
}

#[test]
fn a_card_as_a_number_or_a_name_is_found_too() {
    let rules = masking();
    let wire = Dialect::OpenAi.wire();
    let number = request(
        &rules,
        wire,
        r#"{"model":"m","messages":[],"metadata":{"n": 4111111111111111 }}"#,
    );
    let expected = br#"{"model":"m","messages":[],"metadata":{"n": "[payment-card]" }}"#;
    assert_eq!(number.fate, Fate::Forward(Some(expected.to_vec())));
    let name = request(
        &rules,
        wire,
        r#"{"model":"m","messages":[],"metadata":{"4111111111111111":"x"}}"#,
    );
    assert_eq!((name.judged.decision.verdict, name.fate), (Verdict::Block, Fate::Stop));
}

#[test]
fn escapes_hide_nothing() {
    let rules = masking();
    let body =
        r#"{"model":"m","messages":[{"role":"user","content":"\u0034111\u00201111 1111\u0020111\u0031 \u00e9"}]}"#;
    let expected = r#"{"model":"m","messages":[{"role":"user","content":"[payment-card] \u00e9"}]}"#;
    assert_eq!(
        request(&rules, Dialect::OpenAi.wire(), body).fate,
        Fate::Forward(Some(expected.as_bytes().to_vec()))
    );
    // Two levels down, in arguments.
    let called = |text: &str| {
        format!(
            r#"{{"model":"m","messages":[{{"role":"assistant","tool_calls":[{{"id":"c","type":"function","function":{{"name":"f","arguments":"{text}"}}}}]}}]}}"#
        )
    };
    let asked = request(
        &rules,
        Dialect::OpenAi.wire(),
        &called(r#"{\"a\":\"\\u00341111111 11111111\",\"b\":\"\u005cu0034111111111111111\"}"#),
    );
    assert_eq!(
        asked.judged.facts.content.entities.first().map(|seen| seen.distinct),
        Some(1),
        "only the second is a card as written"
    );
    assert_eq!(
        asked.fate,
        Fate::Forward(Some(
            called(r#"{\"a\":\"\\u00341111111 11111111\",\"b\":\"[payment-card]\"}"#).into_bytes()
        ))
    );
}

#[test]
fn several_values_are_masked_at_once_and_counted_by_distinct_value() {
    let rules = masking();
    let content = |card: &str, key: &str, mail: &str| {
        format!(r#"{{"model":"m","messages":[{{"role":"user","content":"{card}, {key}; {card} <{mail}>"}}]}}"#)
    };
    let asked = request(&rules, Dialect::OpenAi.wire(), &content("4111111111111111", KEY, MAIL));
    let expected = content("[payment-card]", "[ai-provider-key]", "[email-address]");
    assert_eq!(asked.fate, Fate::Forward(Some(expected.into_bytes())));
    let seen: Vec<(&str, u32)> = asked
        .judged
        .facts
        .content
        .entities
        .iter()
        .map(|seen| (seen.entity.as_str(), seen.distinct))
        .collect();
    assert_eq!(
        seen,
        [("ai-provider-key", 1), ("email-address", 1), ("payment-card", 1)]
    );
    let masked: Vec<(&str, u32)> = asked
        .judged
        .masked
        .iter()
        .map(|(entity, count)| (entity.as_str(), *count))
        .collect();
    assert_eq!(
        masked,
        [("ai-provider-key", 1), ("email-address", 1), ("payment-card", 2)]
    );
}

#[test]
fn what_is_blocked_does_not_go_on() {
    let asked = request(&blocking(), Dialect::OpenAi.wire(), &planted(OPENAI, 1, CARD).0);
    assert_eq!(
        (asked.judged.decision.verdict, asked.fate),
        (Verdict::Block, Fate::Stop)
    );
    assert!(asked.judged.masked.is_empty());
}

#[test]
fn what_nobody_can_read_is_a_fact_and_blocks() {
    let body = r#"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]}]}"#;
    let asked = request(&masking(), Dialect::OpenAi.wire(), body);
    assert!(asked.judged.facts.content.uninspectable);
    assert!(
        asked.judged.uninspectable.iter().any(|(_, what)| *what == "image"),
        "{:?}",
        asked.judged.uninspectable
    );
    assert_eq!(asked.fate, Fate::Stop);
}

#[test]
fn a_detector_that_panics_is_a_fact_and_the_policy_says_what_it_means() {
    let body = r#"{"model":"m","messages":[{"role":"user","content":"pay 4111111111111111"}]}"#;
    for (unavailable, expected) in [("block", Verdict::Block), ("coach", Verdict::Redact)] {
        let rules = detecting(
            &rules("redact", "enforce", unavailable),
            vec![Arc::new(Panics), Arc::new(PaymentCard)],
        );
        let asked = request(&rules, Dialect::OpenAi.wire(), body);
        assert!(asked.judged.facts.content.failed);
        assert_eq!(failed(&asked.judged), [("panics", Trouble::Panicked)]);
        assert_eq!(asked.judged.decision.verdict, expected, "{unavailable}");
        // The others still did their work.
        assert_eq!(asked.judged.facts.content.entities.len(), 1);
        assert_eq!(asked.fate == Fate::Stop, expected == Verdict::Block);
    }
}

#[test]
fn observing_changes_nothing_and_knows_what_would_have_been() {
    for (then, full) in [("redact", Verdict::Redact), ("block", Verdict::Block)] {
        let rules = rules(then, "observe", "block");
        let asked = request(&rules, Dialect::OpenAi.wire(), &planted(OPENAI, 1, CARD).0);
        assert_eq!(asked.fate, Fate::Forward(None));
        assert_eq!(
            (asked.judged.decision.verdict, asked.judged.decision.full),
            (Verdict::Allow, full)
        );
        assert!(asked.judged.masked.is_empty(), "nothing was done");
    }
}

#[test]
fn a_whole_answer_is_masked_and_what_vouched_for_it_goes() {
    let rules = masking();
    let inspection = admitted(&rules, Dialect::OpenAi);
    let answer = |text: &str, logprobs: &str| {
        format!(
            r#"{{"id":"c","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}"}},"logprobs":{logprobs},"finish_reason":"stop"}}]}}"#
        )
    };
    let logprobs = r#"{"content":[{"token":"x","logprob":-0.1,"bytes":null,"top_logprobs":[]}]}"#;
    let (judged, fate) = inspection.answer(answer("pay 4111111111111111", logprobs).as_bytes());
    assert_eq!(judged.decision.verdict, Verdict::Redact);
    assert_eq!(
        fate,
        Fate::Forward(Some(answer("pay [payment-card]", "null").into_bytes()))
    );
    assert_eq!(
        inspection.answer(answer("pay", logprobs).as_bytes()).1,
        Fate::Forward(None)
    );
    // An answer that is none cannot be looked at.
    let (judged, fate) = inspection.answer(b"<html>");
    assert!(judged.facts.content.uninspectable);
    assert_eq!(fate, Fate::Stop);

    let inspection = admitted(&rules, Dialect::Anthropic);
    let answer = |text: &str, signature: &str| {
        format!(
            r#"{{"role":"assistant","content":[{{"type":"thinking","thinking":"{text}","signature":{signature}}}]}}"#
        )
    };
    let (_, fate) = inspection.answer(answer("pay 4111111111111111", "\"EqQB\"").as_bytes());
    assert_eq!(
        fate,
        Fate::Forward(Some(answer("pay [payment-card]", "null").into_bytes()))
    );
}

/// A number that would be a card if it were a whole one, and vectors that are noise: nothing of it is looked for or changed.
#[test]
fn vectors_pass_as_they_are_and_texts_to_embed_are_judged() {
    let embed = |input: &str| format!(r#"{{"model":"m","input":["{input}"]}}"#);
    let embeddings = &OpenaiEmbeddings;
    let judged = request(&masking(), embeddings, &embed("card 4111 1111 1111 1111"));
    assert_eq!(
        judged.fate,
        Fate::Forward(Some(embed("card [payment-card]").into_bytes()))
    );
    let blocked = request(&blocking(), embeddings, &embed("card 4111 1111 1111 1111"));
    assert_eq!(blocked.fate, Fate::Stop);
    let tokens = request(&masking(), embeddings, r#"{"model":"m","input":[[1212, 318]]}"#);
    assert_eq!(tokens.fate, Fate::Stop, "the policy blocks what is uninspectable");

    let inspection = request(&masking(), embeddings, &embed("hello")).inspection;
    let answer = |number: &str| format!(r#"{{"data":[{{"embedding":[0.25,{number}]}}]}}"#);
    assert_eq!(
        inspection.answer(answer("-0.4111111111111111").as_bytes()).1,
        Fate::Forward(None)
    );
    let edited = inspection.answer(answer("4111111111111111").as_bytes()).1;
    assert_eq!(edited, Fate::Forward(Some(answer(r#""[payment-card]""#).into_bytes())));
}
