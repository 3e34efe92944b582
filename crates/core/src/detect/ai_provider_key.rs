//! API keys of AI providers.
//!
//! **Finds** keys that carry their maker's prefix, in the length and characters that the maker uses: OpenAI, Anthropic,
//! Google AI, Hugging Face, Groq, xAI, Perplexity, Replicate, OpenRouter, Databricks, NVIDIA, Cerebras, Fireworks, Jina,
//! Pinecone, LangSmith, Tavily and ElevenLabs, and `sk-` keys of everyone who copied the form.
//!
//! **Matters** because such a key spends the organisation's money and opens its stored files and conversations, and code
//! pasted into a prompt is where most of them travel.
//!
//! **Deliberately does not find** keys without a prefix of their own (Mistral, Cohere, Together, Azure), placeholders
//! (`sk-your-key`, rows of `x`, dots), words that merely begin alike (`sk-loading-spinner`), and keys that stand in the
//! middle of a longer token.
//!
//! **Tune** by a detector of your own with a pattern where a provider in use has no prefix here.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, Input, MatchKind};

use super::walk::{Probe, open_prefix, walk};
use super::{ByteSet, Detector, DetectorFailure, EntityId, Horizon, Match, Trouble, Window};

const ID: &str = "ai-provider-key";

/// The detector of AI providers' keys.
#[derive(Debug, Clone, Copy)]
pub struct AiProviderKey;

impl Detector for AiProviderKey {
    fn id(&self) -> &str {
        ID
    }

    fn version(&self) -> u32 {
        1
    }

    fn entities(&self) -> Vec<EntityId> {
        vec![EntityId::from(ID)]
    }

    fn horizon(&self) -> Horizon {
        Horizon::Bounded(LONGEST_PREFIX + LONGEST_BODY + 1)
    }

    fn shortest(&self) -> usize {
        23
    }

    fn starts(&self) -> ByteSet {
        let mut starts = ByteSet::of(&[]);
        let first = RULES.iter().filter_map(|rule| rule.prefix.bytes().next());
        first.for_each(|byte| starts.insert(byte));
        starts
    }

    fn detect(&self, window: Window<'_>, matches: &mut Vec<Match>) -> Result<usize, DetectorFailure> {
        let Some(prefixes) = FIND_PREFIX.as_ref() else {
            return Err(DetectorFailure {
                detector: ID.to_owned(),
                trouble: Trouble::Failed,
                reason: "its prefixes do not compile".to_owned(),
            });
        };
        let next = |bytes: &[u8], from| {
            prefixes
                .find(Input::new(bytes).range(from..))
                .map(|found| found.start())
        };
        let open = |bytes: &[u8], from| {
            open_prefix(
                bytes,
                from,
                &RULES.iter().map(|rule| rule.prefix.as_bytes()),
                LONGEST_PREFIX,
            )
        };
        Ok(walk(window, ID, matches, next, judge, open))
    }
}

/// How one maker writes keys.
struct Rule {
    prefix: &'static str,
    of: Characters,
    shortest: usize,
    longest: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Characters {
    Hex,
    Alphanumeric,
    /// Letters, digits, hyphen and underscore.
    Token,
    /// As [`Self::Token`], behind a prefix so short that chance must be excluded in the body.
    RandomToken,
}

impl Characters {
    fn contain(self, byte: u8) -> bool {
        match self {
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::Alphanumeric => byte.is_ascii_alphanumeric(),
            Self::Token | Self::RandomToken => in_token(byte),
        }
    }
}

fn judge(probe: &Probe<'_>, start: usize) -> Option<usize> {
    // Hyphens join: neither `disk-…` nor `a-sk-…` is a key, and the runs of two candidates never overlap.
    if !probe.begins_token(start) || probe.before(start, 1) == Some(b'-') {
        return None;
    }
    RULES.iter().find_map(|rule| {
        if !probe.starts_with(start, rule.prefix.as_bytes()) {
            return None;
        }
        let body_start = start + rule.prefix.len();
        let length = probe.run(body_start, rule.longest + 1, |byte| rule.of.contain(byte));
        let end = body_start + length;
        let body = probe.known(body_start, end);
        let fits = (rule.shortest..=rule.longest).contains(&length)
            && probe.ends_token(end)
            && !is_placeholder(body)
            && (rule.of != Characters::RandomToken || is_random(body));
        fits.then_some(end)
    })
}

fn in_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// Whether a body is what a person writes in place of a key.
fn is_placeholder(body: &[u8]) -> bool {
    // One bit for each of the 128 ASCII bytes.
    let seen = body.iter().fold(0_u128, |seen, &byte| {
        seen | 1_u128.checked_shl(u32::from(byte)).unwrap_or(0)
    });
    let few = seen.count_ones() < FEWEST_DISTINCT;
    few || FILLERS
        .iter()
        .any(|filler| body.windows(filler.len()).any(|part| part.eq_ignore_ascii_case(filler)))
}

/// Whether a body has a digit, a letter and a long piece without a hyphen, as no class name in a style sheet has.
fn is_random(body: &[u8]) -> bool {
    let long = body
        .split(|&byte| !byte.is_ascii_alphanumeric())
        .any(|piece| piece.len() >= LONG_PIECE);
    long && body.iter().any(u8::is_ascii_digit) && body.iter().any(u8::is_ascii_alphabetic)
}

static FIND_PREFIX: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let prefixes = RULES.iter().map(|rule| rule.prefix);
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostLongest)
        .build(prefixes)
        .ok()
});

const LONGEST_PREFIX: usize = 11;
const LONGEST_BODY: usize = 256;
const LONG_PIECE: usize = 16;
const FEWEST_DISTINCT: u32 = 8;
const FILLERS: &[&[u8]] = &[
    b"your",
    b"xxxx",
    b"example",
    b"placeholder",
    b"redacted",
    b"changeme",
    b"replace",
    b"dummy",
];

/// The more particular prefix stands before the one that it extends.
const RULES: &[Rule] = &[
    // Anthropic.
    rule("sk-ant-", Characters::Token, 32, LONGEST_BODY),
    // OpenAI.
    rule("sk-proj-", Characters::Token, 32, LONGEST_BODY),
    rule("sk-svcacct-", Characters::Token, 32, LONGEST_BODY),
    rule("sk-admin-", Characters::Token, 32, LONGEST_BODY),
    rule("sk-None-", Characters::Token, 32, LONGEST_BODY),
    // OpenRouter.
    rule("sk-or-", Characters::Token, 32, LONGEST_BODY),
    // OpenAI before 2024, DeepSeek, gateways.
    rule("sk-", Characters::RandomToken, 20, LONGEST_BODY),
    // ElevenLabs.
    rule("sk_", Characters::Hex, 48, 48),
    // Google AI.
    rule("AIza", Characters::Token, 35, 35),
    // Hugging Face, users and organisations.
    rule("hf_", Characters::Alphanumeric, 30, 40),
    rule("api_org_", Characters::Alphanumeric, 30, 40),
    // Groq.
    rule("gsk_", Characters::Alphanumeric, 40, 64),
    // xAI.
    rule("xai-", Characters::Alphanumeric, 64, 96),
    // Perplexity.
    rule("pplx-", Characters::Alphanumeric, 40, 64),
    // Replicate.
    rule("r8_", Characters::Alphanumeric, 37, 37),
    // Databricks; newer ones end in the number of the token's version.
    rule("dapi", Characters::Hex, 32, 32),
    // NVIDIA.
    rule("nvapi-", Characters::Token, 60, 70),
    // Cerebras.
    rule("csk-", Characters::Alphanumeric, 40, 64),
    // Fireworks.
    rule("fw_", Characters::Alphanumeric, 22, 32),
    // Jina.
    rule("jina_", Characters::Token, 48, 80),
    // Pinecone.
    rule("pcsk_", Characters::Token, 60, 80),
    // LangSmith.
    rule("lsv2_", Characters::Token, 40, 64),
    // Tavily.
    rule("tvly-", Characters::Token, 30, 64),
];

const fn rule(prefix: &'static str, of: Characters, shortest: usize, longest: usize) -> Rule {
    Rule {
        prefix,
        of,
        shortest,
        longest,
    }
}

/// What is found; the span stands between the marks.
#[cfg(test)]
pub(crate) const HITS: &[&str] = &[
    "OPENAI_API_KEY=«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»",
    "«sk-proj-Qm3xT9vKc2LpWz8R-bN5y_hG7dSfAe4UoXi1Jk6VtM», in the code",
    "\"«sk-svcacct-Qm3xT9vKc2LpWz8RbN5yhG7dSfAe4UoXi1Jk6VtM»\"",
    "Bearer «sk-ant-api03-Qm3xT9vKc2LpWz8RbN5yhG7dSfAe4UoXi1Jk6VtM-AA»",
    "«sk-or-v1-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef»",
    "deepseek: «sk-0123456789abcdef0123456789abcdef».",
    "«AIzaSyD4mQ9tX2vKc7LpWz8RbN5yhG3dSfAe6Uo»",
    "token='«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»'",
    "«gsk_Qm3xT9vKc2LpWz8RbN5yWGdyb3FYhG7dSfAe4UoXi1Jk6VtM»",
    "«xai-Qm3xT9vKc2LpWz8RbN5yhG7dSfAe4UoXi1Jk6VtMQm3xT9vKc2LpWz8RbN5yhG7dSfAe4UoXi1Jk»",
    "«pplx-Qm3xT9vKc2LpWz8RbN5yhG7dSfAe4UoXi1Jk6VtMqWer»",
    "«r8_Qm3xT9vKc2LpWz8RbN5yhG7dSfAe4UoXi1Jk6»",
    "«dapi0123456789abcdef0123456789abcdef»-2",
    "«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»",
    r#"{"args": "key\n«sk-Qm3xT9vKc2LpWz8RbN5yhG7d»\n"}"#,
    "密钥«sk-Qm3xT9vKc2LpWz8RbN5yhG7d»。",
];

/// What looks alike and is not found.
#[cfg(test)]
pub(crate) const MISSES: &[&str] = &[
    "sk-your-key-goes-here-0123456789abcdef",
    "sk-proj-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "sk-proj-...",
    "sk-ant-api03-YOUR_KEY_0123456789abcdefghijklmnop",
    "sk-",
    "sk-short1",
    "class=\"sk-loading-spinner-container-wrapper-2\"",
    "task-Qm3xT9vKc2LpWz8RbN5yhG7d",
    "risk-sk-Qm3xT9vKc2LpWz8RbN5yhG7d",
    "AIzaSyD4mQ9tX2vKc7LpWz8RbN5yhG3dSfAe6U",
    "AIzaSyD4mQ9tX2vKc7LpWz8RbN5yhG3dSfAe6Uoo",
    "hf_hub_download and hf_transfer",
    "dapi0123456789abcdef0123456789abcdeg",
    "gsk_000000000000000000000000000000000000000000000000000000",
];
