//! Dialects: the API families whose endpoints the gateway knows, each a row of facts.

use serde_json::json;

use super::{anthropic_messages, gemini, openai_chat};

/// An API family: paths, error bodies and credentials that belong together. Many providers speak OpenAI's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// OpenAI's.
    Openai,
    /// Anthropic's.
    Anthropic,
    /// That of Google's Gemini.
    Gemini,
    /// Ollama's own.
    Ollama,
    /// OpenAI's as Azure offers it: the deployment stands in the path.
    Azure,
}

/// What is usual for a dialect.
struct Row {
    word: &'static str,
    app: &'static str,
    key_env: &'static str,
    url: &'static str,
    /// The header that carries a provider's key, and what stands before the key in it.
    credential: (&'static str, &'static str),
    /// What the paths of its endpoints begin with, which providers' addresses have or leave out.
    version: &'static str,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 5] = [Self::Openai, Self::Anthropic, Self::Gemini, Self::Ollama, Self::Azure];

    const fn row(self) -> Row {
        match self {
            Self::Openai => Row {
                word: "openai",
                app: "openai-api",
                key_env: "OPENAI_API_KEY",
                url: "https://api.openai.com",
                credential: ("authorization", "Bearer "),
                version: "/v1",
            },
            Self::Anthropic => Row {
                word: "anthropic",
                app: "anthropic-api",
                key_env: "ANTHROPIC_API_KEY",
                url: "https://api.anthropic.com",
                credential: ("x-api-key", ""),
                version: "/v1",
            },
            Self::Gemini => Row {
                word: "gemini",
                app: "google-ai-studio",
                key_env: "GEMINI_API_KEY",
                url: "https://generativelanguage.googleapis.com",
                credential: ("x-goog-api-key", ""),
                version: "/v1beta",
            },
            Self::Ollama => Row {
                word: "ollama",
                app: "ollama",
                key_env: "OLLAMA_API_KEY",
                url: "http://127.0.0.1:11434",
                credential: ("authorization", "Bearer "),
                version: "/api",
            },
            Self::Azure => Row {
                word: "azure",
                app: "azure-openai",
                key_env: "AZURE_OPENAI_API_KEY",
                url: "https://RESOURCE.openai.azure.com",
                credential: ("api-key", ""),
                version: "/openai",
            },
        }
    }

    /// The word in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.row().word
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.as_str() == word)
    }

    /// The app that an upstream of this dialect is, unless the configuration says otherwise.
    #[must_use]
    pub const fn usual_app(self) -> &'static str {
        self.row().app
    }

    /// The environment variable that usually holds its key.
    #[must_use]
    pub const fn usual_key_env(self) -> &'static str {
        self.row().key_env
    }

    /// The provider's own address; of Azure, what one looks like.
    #[must_use]
    pub const fn usual_url(self) -> &'static str {
        self.row().url
    }

    /// The header that carries a provider's key, in lower case, and what stands before the key in it. Callers show their
    /// virtual key in the same place.
    #[must_use]
    pub const fn credential(self) -> (&'static str, &'static str) {
        self.row().credential
    }

    /// What the paths of its endpoints begin with; a provider's address may end with it.
    #[must_use]
    pub const fn version(self) -> &'static str {
        self.row().version
    }

    /// An error body in the dialect's own shape, so that official SDKs raise their usual exception.
    #[must_use]
    pub fn error(self, status: u16, message: &str) -> Vec<u8> {
        let value = match self {
            Self::Openai | Self::Azure => openai_chat::error_value(status, message),
            Self::Anthropic => anthropic_messages::error_value(status, message),
            Self::Gemini => gemini::error_value(status, message),
            Self::Ollama => json!({"error": message}),
        };
        value.to_string().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn every_dialect_is_read_by_its_word_and_has_errors_that_name_the_message() {
        for dialect in Dialect::ALL {
            assert_eq!(Dialect::parse(dialect.as_str()), Some(dialect));
            let error: Value = serde_json::from_slice(&dialect.error(403, "not for you")).expect("JSON");
            assert!(error.to_string().contains("not for you"), "{error}");
        }
        assert_eq!(Dialect::parse("opnai"), None);
    }
}
