//! A profile: what an organisation does with AI, and with it which clauses are usual.
//!
//! Which clauses come in stands in each clause, by profile. Read [`Profile`] first.

use super::clause::flag;
use crate::policy::fields::Reader;
use crate::policy::node::Node;

/// A way of using AI that many organisations share.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Who does this.
    pub who: String,
    /// Whether it is laid over another profile instead of standing alone.
    pub overlay: bool,
    /// What its policies look at most.
    pub emphasis: Vec<String>,
    /// What usually goes wrong.
    pub risks: Vec<String>,
    /// What it usually owes to others.
    pub duties: Vec<String>,
}

/// Reads one profile.
pub(super) fn read(tree: &Node, reader: &mut Reader) -> Option<Profile> {
    let mut fields = reader.fields(tree, "a profile")?;
    let (id, name) = (fields.required("id", reader), fields.required("name", reader));
    let who = fields.required("who", reader);
    let overlay = flag(&mut fields, "overlay", reader);
    let mut list = |key| -> Vec<String> {
        let texts = fields.texts(key, reader);
        texts.into_iter().map(|text| text.value).collect()
    };
    let (emphasis, risks, duties) = (list("emphasis"), list("risks"), list("duties"));
    fields.finish(reader);
    Some(Profile {
        id: id?.value,
        name: name?.value,
        who: who?.value,
        overlay,
        emphasis,
        risks,
        duties,
    })
}
