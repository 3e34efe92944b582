//! The Cedar schema: what a request holds.

use std::fmt::Write as _;

use super::text::quote;
use super::{ACTIONS, Verdict};
use crate::policy::document::Document;

const ENTITIES: &str = "\
namespace Ordain {
  // A group of the policy; everybody is in \"everyone\".
  entity Group;
  // Who makes the request.
  entity Principal in [Group];
  // What the catalogue says an app is for.
  entity Category;
  // Where the request goes.
  entity App in [Category];
  // One call of a tool in an answer, as a resource of its own, with the policy's conditions on arguments that it meets.
  entity Tool = { name: String, met: Set<String> };

";

const CONTEXT: &str = "\
  type Exchange = {
    // \"prompt\" or \"answer\".
    direction: String,
    // The app, also where a tool is the resource.
    app: App,
    // \"sanctioned\", \"tolerated\", \"unknown\" or \"unsanctioned\", after expiry, `require` and `for`.
    app_class: String,
    model?: String,
    use?: String,
    client?: String,
    // Who wrote the parts.
    sources: Set<String>,
    // Entities found: \"iban\", and \"iban@user\" for each source that it stands in.
    entities: Set<String>,
    // Those of them that stand where nothing can be edited, in the same way.
    fixed_entities: Set<String>,
    // The class of the text: the highest that occurs.
    class: String,
    // Classes that occur: \"internal\", \"internal@user\"; the default where nothing was found.
    classes: Set<String>,
    // Classes of what was found, without that default.
    found_classes: Set<String>,
    // Classes of what stands where nothing can be edited.
    fixed_classes: Set<String>,
    // Statements without a span: \"toxicity\", \"toxicity@user\".
    findings: Set<String>,
    // Names of the tools called, and each pattern of the policy that one of them matches.
    tools: Set<String>,
    uninspectable: Bool,
    // The endpoint, where nobody reads its bodies; then `uninspectable` says nothing.
    endpoint?: String,
    failed: Bool,
    // The day in the policy's time zone, and the time of that day.
    today: datetime,
    time: duration,
    // \"mon\" to \"sun\".
    weekday: String,
    // The day from which the principal is known.
    since?: datetime,
    // How long ago the principal signed in.
    signed_in?: duration,
    // When the principal last completed each course.
    training: {";

/// The schema of a policy in Cedar's own notation.
#[must_use]
pub fn schema(document: &Document) -> String {
    let mut out = ENTITIES.to_owned();
    out.push_str("  // May this go at all, at once, unmasked, without a reason, without a word? A milder action is in each stricter one.\n");
    let mut parent: Option<&str> = None;
    for (action, verdict) in ACTIONS {
        let within = parent.map_or_else(String::new, |parent| format!(" in [{parent}]"));
        let _ = writeln!(
            out,
            "  action {action}{within} appliesTo {{ principal: [Principal], resource: [App, Tool], context: Exchange }}; // allowed below `{verdict}`"
        );
        parent = Some(action);
    }
    out.push('\n');
    out.push_str(CONTEXT);
    let courses: Vec<String> = document
        .education
        .courses
        .iter()
        .map(|course| format!(" {}?: datetime", quote(course.id.as_str())))
        .collect();
    out.push_str(&courses.join(","));
    out.push_str(if courses.is_empty() {
        "},\n  };\n}\n"
    } else {
        " },\n  };\n}\n"
    });
    debug_assert_eq!(ACTIONS.len(), Verdict::ALL.len() - 1);
    out
}
