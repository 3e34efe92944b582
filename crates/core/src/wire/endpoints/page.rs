//! The published page of endpoints, `docs/reference/endpoints.md`: written from the table, and held to it.

use std::fmt::Write as _;

use super::{Handling, table};
use crate::published;
use crate::wire::{Dialect, all};

#[test]
fn the_published_page_is_the_table() {
    published::hold("endpoints.md", &page());
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    for wire in all() {
        let blocked = if wire.talk().is_some() {
            "an answer that refuses, or an error"
        } else {
            "an error"
        };
        let streams = if wire.sights().stream.is_empty() { "no" } else { "yes" };
        let _ = writeln!(page, "| `{}` | {blocked} | {streams} |", wire.id());
    }
    for dialect in Dialect::ALL {
        let own: Vec<_> = table().iter().filter(|one| one.dialect == dialect).collect();
        if own.is_empty() {
            continue;
        }
        let count = |word: &str| own.iter().filter(|one| one.handling.as_str() == word).count();
        let _ = write!(
            page,
            "\n## `{}`\n\n{} operations: {} inspected, {} answered, {} passed by clause, {} refused.\n\n| method | path | handling |\n|---|---|---|\n",
            dialect.as_str(),
            own.len(),
            count("inspected"),
            count("answered"),
            count("passed by clause"),
            count("refused"),
        );
        for one in own {
            let handling = match one.handling {
                Handling::Inspected(wire) => format!("inspected by `{}`", wire.id()),
                Handling::Refused(why) => format!("refused: {why}"),
                other @ (Handling::Models | Handling::Passable) => other.as_str().to_owned(),
            };
            let _ = writeln!(page, "| {} | `{}` | {handling} |", one.method, one.path);
        }
    }
    page
}

const HEAD: &str = "\
# Endpoints

The gateway knows the operations of these APIs by method and path, and what it does with each. A path is taken as it is
written: no slash more, no escape, no other case. What is not listed here is refused like what is listed so. This page is
written from the tables in `crates/core/data`, and a test holds it to them.

| handling | means |
|---|---|
| inspected | the bodies of request and answer are read and judged by the policy |
| answered | the gateway answers by itself: which models there are |
| passed by clause | nobody reads its bodies: it is turned away and recorded, unless a line of the policy passes it |
| refused | it is turned away and recorded, whatever the policy says, since it would lead around the gateway or change who may do what at the provider |

## What a line passes

A policy lets pass openly what nobody reads, by dialect, method and path as they stand here:

```yaml
access:
  endpoints:
    - id: EP-1
      endpoints: [openai POST /v1/files, openai GET /v1/files, \"openai GET /v1/files/{file_id}\"]
      groups: [engineering]
      then: coach              # or another verdict but `redact`
      reason: Training data, looked at before it is sent.
      until: 2027-03-31
  clauses:
    - {id: AC-9, statement: Training data may be sent as files., enforced_by: access.endpoints}
```

What passes is still decided about, recorded and bounded:

| | |
|---|---|
| decision | Grants, the matrix (as for a text in which nothing was found), gates and rules are asked as for every request. A grant that limits models lets through only paths that name one of them. What says `justify` or `hold` turns it away: there is no second step for what nobody reads |
| records | An `intent` before its first byte goes upstream and an `outcome` before the end of its answer, both with `uninspectable: [\"endpoint\"]`, the endpoint, and `access.endpoints` as what decided. The path is the one of the table; what stands for `{file_id}`, and the query, are in no record |
| keys and budgets | A key's scope is asked. One that names models opens only paths that name one of them. A limit of requests counts it. Under a limit of tokens or cost, what makes something (any method but `GET` and `DELETE`) is turned away (403), since nobody can tell what it uses |
| where to | The first upstream of the dialect, or the one that serves the model in the path; with the provider's key in place of the caller's. Redirects are not followed, connections not upgraded, and nothing is tried twice |
| body of the request | As it is, of any media type, at the pace of the upstream: nothing is kept but the piece that moves. At most `limits.passed_body_bytes` (413), each MiB of it within `limits.body_seconds` (408), all of it within `limits.answer_seconds`. An upstream that takes nothing for `limits.idle_seconds`, at most twice that, has failed (504). Without a body for `GET`; never compressed |
| query | At most 4,096 bytes (414). A piece whose name may stand for a credential is left out |
| headers | Those of inspected requests, and `content-type` as it is |
| answer | As it comes, at the client's pace, at most `limits.passed_body_bytes`. Its last piece waits until the outcome is durable; of an event stream, its end does. JSON, lines of JSON and event streams keep their media type, and everything else is `application/octet-stream`. A redirect or a change of protocol is a 502 |

`{model}` in a path is the model, or the deployment, that a request is for. If the body names one too, it is the same one.

## Wires

A wire reads the bodies of an endpoint. Where answers are words of a model, a block can be one of them; elsewhere it is an
error in the shape of the API.

| wire | a block is | streams |
|---|---|---|
";
