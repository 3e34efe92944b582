//! What a decision is made on: facts about one half of an exchange, and never the text itself.
//!
//! Facts are what the record keeps, so that any other policy can be asked the same question later. Read [`Facts`] first.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::detect::EntityId;
use crate::verdict::{Direction, SourceSet};

/// Everything a policy may ask about one half.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The moment.
    pub now: Timestamp,
    /// Which half.
    pub direction: Direction,
    /// Who asks.
    pub who: Arc<Who>,
    /// Where it goes.
    pub to: Arc<Destination>,
    /// The model that the body names.
    pub model: Option<String>,
    /// The use that the request declares.
    pub use_: Option<String>,
    /// What the text is made of.
    pub content: Content,
}

impl Facts {
    /// The same half, if somebody else asked.
    pub(crate) fn of(&self, who: &Arc<Who>) -> Self {
        Self {
            who: Arc::clone(who),
            ..self.clone()
        }
    }
}

/// An authenticated caller.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Who {
    /// The principal's name.
    pub principal: String,
    /// Its groups, as the directory or an issuer names them.
    pub groups: Vec<String>,
    /// The calling software, if the key is bound to one or the token names one.
    pub client: Option<String>,
    /// Completed courses and when.
    pub training: Vec<(String, Date)>,
    /// Since when the principal is known.
    pub since: Option<Date>,
    /// When the principal last signed in, where the credential says so: a virtual key and a certificate do not.
    pub signed_in: Option<Timestamp>,
    /// On whose behalf the principal acts: then both are asked, and the stricter answer counts.
    pub on_behalf_of: Option<Arc<Self>>,
}

/// The app that a request goes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Destination {
    /// The app's id in the catalogue.
    pub app: String,
    /// Its categories there.
    pub categories: Vec<String>,
    /// What is configured about the route, such as its region.
    pub attributes: Vec<(String, String)>,
}

/// What was found in the text, without the text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Content {
    /// The sources of all parts.
    pub sources: SourceSet,
    /// Entities found.
    pub entities: Vec<Seen>,
    /// Statements without a span, with the sources they are about.
    pub findings: Vec<(String, SourceSet)>,
    /// The tools that an answer calls.
    pub tools: Vec<Called>,
    /// Whether something could not be read as text.
    pub uninspectable: bool,
    /// The endpoint, where nobody reads its bodies and a line of the policy is asked instead: `openai POST /v1/files`.
    pub endpoint: Option<String>,
    /// Whether a detector failed.
    pub failed: bool,
}

/// A call of a tool, without its arguments: only what the policy asks of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Called {
    /// The tool's name.
    pub name: String,
    /// The policy's conditions on arguments that this call meets, in the policy's words.
    pub met: Vec<String>,
    /// Whether the arguments are still to come, so that entries which ask for them cannot be judged yet.
    pub awaited: bool,
}

/// An entity that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Which.
    pub entity: EntityId,
    /// How many distinct values.
    pub distinct: u32,
    /// In parts of which sources.
    pub sources: SourceSet,
    /// In which sources it stands where nothing can be edited.
    pub fixed: SourceSet,
}
